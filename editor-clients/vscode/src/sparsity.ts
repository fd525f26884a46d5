/** The choice of how much decoding skips. */

import * as vscode from 'vscode';
import { setOption } from './switches.ts';

/** Let the user choose the setting `midline.sparsity`. */
export async function chooseSparsity(): Promise<void> {
  const items = [
    { label: "The model's own", detail: 'What its quality gate chose.', value: undefined },
    { label: '0', detail: 'Dense: nothing is skipped.', value: 0 },
    { label: '0.3', detail: 'Skips 30% of the weights in each decoding step.', value: 0.3 },
    { label: '0.4', detail: 'Skips 40%.', value: 0.4 },
    { label: '0.5', detail: 'Skips 50%: fastest, and least exact.', value: 0.5 },
  ];
  const choice = await vscode.window.showQuickPick(items, {
    placeHolder: 'Share of the weights that decoding skips',
  });
  if (choice !== undefined) await setOption('sparsity', choice.value);
}
