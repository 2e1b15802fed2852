import { byId } from './element.ts';

/** Says something to those who listen to the page instead of seeing it. */
export function announce(message: string): void {
  byId('announcer', HTMLDivElement).textContent = message;
}
