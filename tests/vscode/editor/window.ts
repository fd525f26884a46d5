/** A window of VS Code in Chromium, as a person sees and uses it. */

import { mkdirSync } from 'node:fs';
import * as path from 'node:path';
import { chromium, type Browser, type Locator, type Page } from 'playwright-core';
import type { CodeServer } from './code_server.ts';

const PICTURES = path.resolve(import.meta.dirname, '../../../build/vscode/pictures');
// Behind the cursor ghost text is one span for each colour, and below it is lines of its own.
const GHOST_SPANS = '.ghost-text-decoration, .ghost-text-decoration-preview';
const GHOST_LINES = '.ghost-text .view-line';
export const GHOST = `${GHOST_SPANS}, ${GHOST_LINES}`;
const PATIENCE = 20_000;

export async function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
}

export class Window {
  readonly page: Page;
  private readonly editor: CodeServer;

  private constructor(page: Page, editor: CodeServer) {
    this.page = page;
    this.editor = editor;
  }

  static async open(browser: Browser, editor: CodeServer): Promise<Window> {
    const page = await browser.newPage({ viewport: { width: 1000, height: 620 } });
    page.setDefaultTimeout(PATIENCE);
    await page.goto(editor.url);
    await page.waitForSelector('.monaco-workbench .statusbar');
    return new Window(page, editor);
  }

  /** Open a file of the project. */
  async open(name: string): Promise<void> {
    await this.pick('Control+P', name);
    await this.page.waitForSelector(`.tab.active[data-resource-name="${name}"]`);
  }

  /** Open a file of the project and put the cursor behind its last character. */
  async openFile(name: string): Promise<void> {
    await this.open(name);
    await this.page.click('.editor-group-container.active .view-lines');
    await this.press('Control+End');
  }

  async press(key: string): Promise<void> {
    await this.page.keyboard.press(key);
  }

  async type(text: string): Promise<void> {
    await this.page.keyboard.type(text, { delay: 40 });
  }

  /** Run a command of the palette by its title. */
  async command(title: string): Promise<void> {
    await this.pick('F1', title);
  }

  /** The entry of a list that is open. */
  entry(text: string): Locator {
    return this.page.locator('.quick-input-list .monaco-list-row', { hasText: text }).first();
  }

  /** The ghost text on the screen, once there is some; its spaces are ordinary ones. */
  async ghost(): Promise<string> {
    await this.page.locator(GHOST).first().waitFor({ state: 'attached' });
    const spans = await this.page.locator(GHOST_SPANS).allTextContents();
    const lines = await this.page.locator(GHOST_LINES).allTextContents();
    return [spans.join(''), ...lines].join('\n').replaceAll('\u00a0', ' ');
  }

  /** The ghost text, once it is not `before` any more. */
  async otherGhost(before: string): Promise<string> {
    for (let left = 200; left > 0; left -= 1) {
      const now = await this.ghost();
      if (now !== before) return now;
      await this.page.waitForTimeout(50);
    }
    throw new Error(`the ghost text is still ${before}`);
  }

  /** Whether there is ghost text, after a time in which there could have been. */
  async hasGhostAfter(milliseconds: number): Promise<boolean> {
    await this.page.waitForTimeout(milliseconds);
    return (await this.page.locator(GHOST).count()) > 0;
  }

  async ghostIsGone(): Promise<void> {
    await this.page.waitForFunction(
      (selector) => document.querySelector(selector) === null,
      GHOST,
    );
  }

  /** Midline's entry of the status bar. */
  get bar(): Locator {
    return this.page.locator('.statusbar-item[id^="midline"]');
  }

  /** Wait until a model is loaded. */
  async isReady(): Promise<void> {
    await this.barSays(/ is ready/, 60_000);
  }

  /** Wait until the entry's tooltip, read by screen readers, or its text agrees. */
  async barSays(pattern: RegExp, patience = PATIENCE): Promise<string> {
    const source = pattern.source;
    const said = await this.page.waitForFunction(
      (source) => {
        const item = document.querySelector('.statusbar-item[id^="midline"]');
        if (item === null) return false;
        const labelled = item.querySelector('[aria-label]') ?? item;
        const text = `${item.textContent} ${labelled.getAttribute('aria-label') ?? ''}`;
        return new RegExp(source).test(text) ? text : false;
      },
      source,
      { timeout: patience },
    );
    return String(await said.jsonValue());
  }

  /** The notification with this text. */
  notification(text: string | RegExp): Locator {
    return this.page.locator('.notification-list-item', { hasText: text }).first();
  }

  /** Change the user's settings in their file, as a person does. */
  async changeSettings(changes: Readonly<Record<string, unknown>>): Promise<void> {
    const settings = { ...this.editor.settings(), ...changes };
    await this.command('Preferences: Open User Settings (JSON)');
    await this.page.waitForSelector('.tab.active[data-resource-name="settings.json"]');
    await this.page.click('.editor-group-container.active .view-lines');
    await this.press('Control+A');
    await this.press('Delete'); // typed over a selection, a brace would surround it
    await this.page.keyboard.insertText(JSON.stringify(settings));
    await this.save();
    await this.command('View: Close Editor');
    await this.page.waitForSelector('.tab[data-resource-name="settings.json"]', {
      state: 'detached',
    });
    await this.page.click('.editor-group-container.active .view-lines');
  }

  /** Wait until the active editor has a line with this text. */
  async hasLine(text: string, patience = PATIENCE): Promise<void> {
    const line = this.page.locator('.editor-group-container.active .view-line', { hasText: text });
    await line.first().waitFor({ timeout: patience });
  }

  /** Say in words what to do. */
  async say(sentence: string): Promise<void> {
    await this.command('Midline: Do...');
    const input = this.page.locator('.quick-input-widget input[placeholder^="explain this"]');
    await input.waitFor();
    await input.pressSequentially(sentence);
    await this.press('Enter');
  }

  async save(): Promise<void> {
    await this.press('Control+S');
    await this.page.waitForSelector('.editor-group-container.active .tab.active:not(.dirty)');
  }

  /** Keep what is on the screen, once it stands still. */
  async picture(name: string): Promise<void> {
    mkdirSync(PICTURES, { recursive: true });
    await this.page.mouse.move(900, 250); // no tooltip in the way
    await this.page.waitForTimeout(600);
    await this.page.screenshot({ path: path.join(PICTURES, `${name}.png`) });
  }

  private async pick(key: string, text: string): Promise<void> {
    await this.press(key);
    const input = this.page.locator('.quick-input-widget input').first();
    await input.waitFor();
    await input.pressSequentially(text);
    const exact = new RegExp(`^${text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
    await this.page
      .locator('.quick-input-list .monaco-list-row .label-name', { hasText: exact })
      .first()
      .click();
  }
}
