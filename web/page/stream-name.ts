const FIRST = ['amber', 'brisk', 'calm', 'clear', 'early', 'gentle', 'golden', 'mossy', 'quick', 'silver'];
const SECOND = ['brook', 'heron', 'kingfisher', 'otter', 'reed', 'river', 'stone', 'trout', 'weir', 'willow'];

/** A name that is easy to read out, e.g. `amber-heron-42`. @param random 0 <= random() < 1 */
export function randomStreamName(random: () => number = Math.random): string {
  const pick = (words: readonly string[]): string => words[Math.floor(random() * words.length)] ?? '';
  return `${pick(FIRST)}-${pick(SECOND)}-${10 + Math.floor(random() * 90)}`;
}
