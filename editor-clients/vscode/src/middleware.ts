/** What of the editor's events and questions reaches the server. */

import * as vscode from 'vscode';
import type { Middleware } from 'vscode-languageclient/node';
import { chosenOptions } from './options.ts';
import { configuration, type Switches } from './switches.ts';

/** The options of now; `names` are the settings of the manifest without `midline.`. */
export function optionsOfNow(names: readonly string[]): Record<string, unknown> {
  const settings = configuration();
  return chosenOptions(
    names,
    (name) => settings.inspect(name),
    (name) => settings.get(name),
  );
}

/** Progress that the entry of the status bar or a notification shows already. */
export function isShownElsewhere(title: string): boolean {
  return /^Midline: (loading|downloading) /.test(title);
}

/** Documents that are off and pauses send nothing; settings are those that the user has set. */
export function middleware(
  switches: Switches,
  options: () => Record<string, unknown>,
  onProgress: NonNullable<Middleware['handleWorkDoneProgress']>,
): Middleware {
  return {
    didOpen: (document, next) =>
      switches.isWithheld(document) ? Promise.resolve() : next(document),
    didChange: (event, next) =>
      switches.isWithheld(event.document) ? Promise.resolve() : next(event),
    didSave: (document, next) =>
      switches.isWithheld(document) ? Promise.resolve() : next(document),
    didClose: (document, next) =>
      switches.isWithheld(document) ? Promise.resolve() : next(document),
    provideInlineCompletionItems: (document, position, context, token, next) => {
      const byHand = context.triggerKind === vscode.InlineCompletionTriggerKind.Invoke;
      return switches.mayComplete(document, byHand)
        ? next(document, position, context, token)
        : undefined;
    },
    handleWorkDoneProgress: onProgress,
    workspace: {
      configuration: (params) =>
        params.items.map((item) => (item.section === 'midline' ? options() : null)),
    },
  };
}
