import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../harness/condition.ts';
import { Fixture } from '../harness/fixture.ts';
import type { ReplyMessage } from '../harness/page.ts';
import { COLOURS, seesMovingPicture, succeeded } from '../harness/viewing.ts';

// docs/mobile.md, step by step, by a client that sends the document's fields and no others.
const fixture = await Fixture.start({ MILLRACE_RESUME_TIMEOUT: '3s' });

for (const browser of ['chromium', 'firefox'] as const) {
  test(`an app in ${browser} that follows docs/mobile.md plays on through background, sleep and another network`, async () => {
    const publisher = await fixture.open(browser);
    succeeded(await publisher.publish(`phone-${browser}`, { colour: COLOURS.blue, width: 160, height: 120 }));

    const app = await fixture.open(browser, '?events=1');
    const first = await app.request('stream.heartbeat', '', {});
    succeeded(first);
    succeeded(await app.play(`phone-${browser}`, { data: { wait_ms: 5000 }, more: { id: 2 } }));
    await seesMovingPicture(app, 'blue');

    // The socket is lost and media flows on; a heartbeat with the session's id resumes it.
    await app.run('session.socket.close()');
    await seesMovingPicture(app, 'blue');
    await app.connect(`${fixture.server.wsUrl}/?events=1`);
    await app.run(`session.id = ${JSON.stringify(first.session)}`);
    const resumed = await app.request('stream.heartbeat', '', {});
    succeeded(resumed);
    assert.equal(resumed.session, first.session);

    // Sound only in the background, and the picture again in front.
    const muted = await app.request('stream.mute', `phone-${browser}`, { video: true, role: 'play' });
    assert.deepEqual(muted.data, { video: true, audio: false });
    succeeded(await app.request('stream.mute', `phone-${browser}`, { video: false, role: 'play' }));
    await seesMovingPicture(app, 'blue');

    // Another network: the same connection offers again with a new ufrag.
    const ufrag = `playback.pc.remoteDescription.sdp.match(/ice-ufrag:(\\S+)/)[1]`;
    const before = await app.run<string>(ufrag);
    succeeded(
      await app.run<ReplyMessage>(
        `documentClient.offerAgain(session, 'stream.play', 'phone-${browser}', playback, { restartIce: true })`,
      ),
    );
    assert.notEqual(await app.run<string>(ufrag), before);
    await seesMovingPicture(app, 'blue');

    // Away for longer than the resume time: the id is forgotten, and everything begins anew.
    const releases = () =>
      fixture.server.log.filter(({ msg, why }) => msg === 'session released' && why === 'not resumed').length;
    const releasesBefore = releases();
    await app.run('session.socket.close()');
    await eventually('the end of the resume time', () => releases() > releasesBefore);
    await app.connect(`${fixture.server.wsUrl}/?events=1`);
    await app.run(`session.id = ${JSON.stringify(first.session)}`);
    assert.equal((await app.request('stream.heartbeat', '', {})).err, 40401);
    await app.run(`session.id = ''`);
    const anew = await app.request('stream.heartbeat', '', {});
    succeeded(anew);
    assert.notEqual(anew.session, first.session);
    succeeded(await app.play(`phone-${browser}`, {}, 'again'));
    await seesMovingPicture(app, 'blue', { name: 'again' });

    // Leaving for good.
    succeeded(await app.request('stream.close', `phone-${browser}`, {}));
    await app.run('session.socket.close(1000)');
    await app.close();
    await publisher.close();
  });
}
