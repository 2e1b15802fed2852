/** What one look at the machine says. What is not in order always comes with what to do. */
export type Judgement =
  | { readonly level: 'ok' | 'info'; readonly seen: string }
  | { readonly level: 'warning' | 'wrong'; readonly seen: string; readonly fix: string };

export type Level = Judgement['level'];

export type Finding = Judgement & {
  /** Name of the check, such as `media-ports`. */
  readonly check: string;
};

export const ok = (seen: string): Judgement => ({ level: 'ok', seen });
/** Neither good nor bad: what cannot be known from here, or need not be. */
export const info = (seen: string): Judgement => ({ level: 'info', seen });
/** The server works, but not for everyone or not under load. */
export const warning = (seen: string, fix: string): Judgement => ({ level: 'warning', seen, fix });
/** The server does not start, or clients are not served. */
export const wrong = (seen: string, fix: string): Judgement => ({ level: 'wrong', seen, fix });
