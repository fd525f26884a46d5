/** Failures as one sentence for a person. */

/** Why the server did not start; `said` is the end of what it wrote to standard error. */
export function startProblem(command: string, error: unknown, said: string): string {
  switch (codeOf(error)) {
    case 'ENOENT':
      return `Midline was not found at ${command}; install it, or name it in the setting midline.command.`;
    case 'EACCES':
      return `Midline may not be executed at ${command}; make it executable, or name another in the setting midline.command.`;
  }
  const line = lastLine(said);
  const cause = line === '' ? 'and said nothing' : `and said: ${line}`;
  return `Midline (${command}) ended before it could serve, ${cause}`;
}

/** Why the server is gone after it was started again several times. */
export function crashProblem(said: string): string {
  const line = lastLine(said);
  return `Midline ended five times within three minutes and stays off${line === '' ? '.' : `: ${line}`}`;
}

function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error
    ? String(error.code)
    : undefined;
}

function lastLine(text: string): string {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  return (lines.filter((line) => line !== '').at(-1) ?? '').slice(0, 300);
}
