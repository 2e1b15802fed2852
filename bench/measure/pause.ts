/** Measurements are about spans of time: that is what waiting is for here. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
