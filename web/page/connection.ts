import { MillraceClient, type MillraceError, type SessionState } from '@millrace/client';
import { byId, setText } from './element.ts';
import { onLanguage, text } from './text/text.ts';
import { currentToken } from './token.ts';

/** The page's one client, made anew when the last one was closed for good, and what is shown of it. */
export class Connection {
  #client: MillraceClient;
  readonly #onLost: (error: MillraceError) => void;

  /** @param onLost called when the server refuses to go on */
  constructor(onLost: (error: MillraceError) => void) {
    this.#onLost = onLost;
    this.#client = this.#open();
    byId('reconnect', HTMLButtonElement).addEventListener('click', () => {
      this.#client = this.#open();
      byId('language', HTMLSelectElement).focus();
    });
    onLanguage(() => this.#show(this.#client.state));
  }

  get client(): MillraceClient {
    return this.#client;
  }

  #open(): MillraceClient {
    const token = currentToken();
    const client = new MillraceClient({
      url: new URL('/ws', location.href),
      ...(token !== undefined && { token }),
    });
    client.on('state', (state) => this.#show(state));
    client.on('closed', (error) => {
      if (error !== null) this.#onLost(error);
    });
    this.#show(client.state);
    return client;
  }

  #show(state: SessionState): void {
    byId('connection', HTMLParagraphElement).dataset.state = state;
    setText(byId('connection-text', HTMLSpanElement), text(state));
    byId('reconnect', HTMLButtonElement).hidden = state !== 'closed';
  }
}
