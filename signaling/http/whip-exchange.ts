import type { Role } from '../../core/channel/media.ts';
import { MillraceError, type StreamName } from '../../core/protocol/index.ts';
import { credentialsOf, type IceCredentials, originId, withCredentials } from '../../core/whip/index.ts';
import { play } from '../handlers/play.ts';
import { publish } from '../handlers/publish.ts';
import { demandUseful, type RequestContext, type Services } from '../request-context.ts';
import type { Session } from '../session.ts';
import { StreamSerial } from '../stream-serial.ts';

/** What the client of a session of WHIP or WHEP offered, what it was answered, and which ICE session that is. */
export class WhipExchange {
  readonly role: Role;
  readonly stream: StreamName;
  readonly #services: Services;
  /** Fragments one after another: which ICE session one belongs to depends on those before it. */
  readonly #serial = new StreamSerial();
  #offer: string;
  #answer: string;
  #iceSession = 1;

  /** @throws MillraceError as the handlers of `stream.publish` and `stream.play` do */
  static async begin(
    services: Services,
    context: RequestContext,
    { role, stream, offer }: { readonly role: Role; readonly stream: StreamName; readonly offer: string },
  ): Promise<WhipExchange> {
    const answer = await negotiate(services, context, role, stream, offer);
    return new WhipExchange(services, role, stream, offer, answer);
  }

  private constructor(services: Services, role: Role, stream: StreamName, offer: string, answer: string) {
    this.#services = services;
    this.role = role;
    this.stream = stream;
    this.#offer = offer;
    this.#answer = answer;
  }

  get answer(): string {
    return this.#answer;
  }

  /** Strong entity-tag of the ICE session (RFC 9725 section 4.3.1). */
  get entityTag(): string {
    return `"${this.#iceSession}"`;
  }

  /** Runs when every fragment that came before is done with. */
  inOrder<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#serial.run(this.stream, work);
  }

  isCurrent({ ufrag, pwd }: IceCredentials): boolean {
    const current = credentialsOf(this.#offer);
    return current?.ufrag === ufrag && current.pwd === pwd;
  }

  /**
   * Restarts ICE on the session's transport. A failure leaves the ICE session as it is.
   * @throws MillraceError `stream_ended` when the transport is gone; the session is over then
   */
  async restart(context: RequestContext, credentials: IceCredentials): Promise<void> {
    const offer = withCredentials(this.#offer, credentials);
    const answer = await negotiate(this.#services, context, this.role, this.stream, offer, () =>
      this.#demandHeld(context.session),
    );
    if (originId(answer) !== originId(this.#answer)) {
      // Made anew, on a transport that the client knows nothing of: of an answer it reads no more than ICE here.
      await this.#services.sessions.end(context.session, 'ICE cannot be restarted on another transport');
      throw ended(this.stream);
    }
    this.#offer = offer;
    this.#answer = answer;
    this.#iceSession += 1;
  }

  #demandHeld(session: Session): void {
    if (session.hold(this.stream)?.[this.role] === undefined) throw ended(this.stream);
  }
}

/** @param demand what must hold when it is this request's turn */
async function negotiate(
  services: Services,
  context: RequestContext,
  role: Role,
  stream: StreamName,
  sdp: string,
  demand: () => void = () => undefined,
): Promise<string> {
  if (role === 'play') {
    demand();
    return (await play(services, context, stream, { sdp })).sdp;
  }
  const answer = await context.session.serially(stream, () => {
    demandUseful(services, context);
    demand();
    return publish(services, context, stream, { sdp });
  });
  return answer.sdp;
}

function ended(stream: StreamName): MillraceError {
  return new MillraceError(
    'stream_ended',
    `what this session had of "${stream}" has ended; begin anew by POST`,
  );
}
