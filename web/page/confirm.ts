import { byId } from './element.ts';

/** Asks before something that cannot be undone. The dialog keeps the focus, Escape means no. */
export function confirm(title: string, explanation: string, yes: string): Promise<boolean> {
  const dialog = byId('confirm', HTMLDialogElement);
  byId('confirm-title', HTMLHeadingElement).textContent = title;
  byId('confirm-text', HTMLParagraphElement).textContent = explanation;
  byId('confirm-yes', HTMLButtonElement).textContent = yes;
  dialog.returnValue = 'cancel';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}
