/** Why setup cannot go on, in words for the person at the keyboard: no stack is printed. */
export class Trouble extends Error {
  constructor(...lines) {
    super(lines.filter((line) => line !== '').join('\n'));
    this.name = 'Trouble';
  }
}

/** Runs one of setup's commands; what it returns is the exit status. */
export async function runSetup(command) {
  const major = Number(process.versions.node.split('.')[0]);
  try {
    if (process.platform !== 'linux' && process.platform !== 'darwin') {
      throw new Trouble(
        `This machine runs ${process.platform}. Millrace is set up on Linux; Debian 12 is what it is tried on.`,
      );
    }
    if (major < 20) {
      throw new Trouble(
        `This is Node ${process.versions.node}. Setup needs Node 20 or later; it brings Node 24 for the rest by itself.`,
      );
    }
    process.exitCode = await command();
  } catch (error) {
    console.error(error instanceof Trouble ? `\n${error.message}` : error);
    process.exitCode = 1;
  }
}
