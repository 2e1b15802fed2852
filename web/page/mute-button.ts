/** A toggle that asks for its change, and shows it once it is done. */
export class MuteButton {
  readonly #button: HTMLButtonElement;

  /** @param change resolves when done; a failure leaves the button as it was and is its owner's to show */
  constructor(button: HTMLButtonElement, change: (muted: boolean) => Promise<void>) {
    this.#button = button;
    button.addEventListener('click', async () => {
      const muted = !this.muted;
      button.setAttribute('aria-busy', 'true');
      try {
        await change(muted);
        this.muted = muted;
      } catch {
        // Shown by the owner.
      } finally {
        button.removeAttribute('aria-busy');
      }
    });
  }

  get muted(): boolean {
    return this.#button.getAttribute('aria-pressed') === 'true';
  }

  set muted(muted: boolean) {
    this.#button.setAttribute('aria-pressed', String(muted));
  }
}
