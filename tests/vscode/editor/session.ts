/** A VS Code for all tests of a file, ended after them, with a picture of every failure. */

import { after, afterEach, before } from 'node:test';
import type { Browser } from 'playwright-core';
import { CodeServer, type Options } from './code_server.ts';
import { startBrowser, Window } from './window.ts';

export class Session {
  private started: { editor: CodeServer; browser: Browser; window: Window } | undefined;

  get editor(): CodeServer {
    return this.parts.editor;
  }

  get window(): Window {
    return this.parts.window;
  }

  /** A window in which Midline has its model. */
  async ready(): Promise<Window> {
    await this.window.isReady();
    return this.window;
  }

  /** One more window of the same VS Code. */
  async another(): Promise<Window> {
    return Window.open(this.parts.browser, this.editor);
  }

  async start(options: Options): Promise<void> {
    const editor = await CodeServer.start(options);
    try {
      const browser = await startBrowser();
      this.started = { editor, browser, window: await Window.open(browser, editor) };
    } catch (error) {
      await editor.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.started?.browser.close();
    await this.started?.editor.stop();
  }

  private get parts(): NonNullable<Session['started']> {
    if (this.started === undefined) throw new Error('the session has not been started');
    return this.started;
  }
}

/** A session with these files and settings for the tests of this file. */
export function useSession(options: Options): Session {
  const session = new Session();
  before(() => session.start(options));
  afterEach(async (context) => {
    if (!('passed' in context) || context.passed !== false) return;
    await session.window.picture(`failed-${context.name.replaceAll(/\W+/g, '-')}`);
    console.error(`the status bar: ${(await session.window.bar.getAttribute('aria-label')) ?? ''}`);
  });
  after(() => session.stop());
  return session;
}
