import { Connection } from './connection.ts';
import { byId } from './element.ts';
import { LiveList } from './live-list.ts';
import { PlayPanel } from './play-panel.ts';
import { problemOf, showProblem } from './problem.ts';
import { PublishPanel } from './publish-panel.ts';
import { RecordingList } from './recording-list.ts';
import { readWish } from './share-link.ts';
import { language, onLanguage, setLanguage, startLanguage, text } from './text/text.ts';
import { startToken } from './token.ts';

startToken();
startLanguage();
const select = byId('language', HTMLSelectElement);
select.value = language();
select.addEventListener('change', () => setLanguage(select.value === 'zh' ? 'zh' : 'en'));

showInsecureHint();
onLanguage(showInsecureHint);

const connection = new Connection((error) => {
  // Each panel says that its stream is over; this says why, where nothing was running.
  showProblem(byId('live-alert', HTMLDivElement), problemOf(error));
});
const publishPanel = new PublishPanel(() => connection.client);
const playPanel = new PlayPanel(() => connection.client);
const recordings = new RecordingList();
new LiveList({
  play: (name) => void playPanel.play(name),
  record: (name) => void recordings.start(name),
});

const wish = readWish(location.search);
if (wish.play !== null) void playPanel.play(wish.play);
if (wish.publish !== null) {
  publishPanel.choose(wish.publish, wish.source);
  void publishPanel.start();
}

function showInsecureHint(): void {
  const hint = byId('insecure', HTMLParagraphElement);
  hint.hidden = globalThis.isSecureContext;
  hint.textContent = text('insecure');
}
