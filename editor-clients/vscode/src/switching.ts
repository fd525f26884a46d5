/** Telling the server of documents that are switched off and on while they are open. */

import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import { notebookOf } from './switches.ts';

/** Close a document that is `off` for the server, or open it; of a notebook all cells. */
export async function sendSwitched(
  client: LanguageClient,
  document: vscode.TextDocument,
  off: boolean,
): Promise<void> {
  const notebook = notebookOf(document.uri);
  const isSynchronized = client.initializeResult?.capabilities.notebookDocumentSync !== undefined;
  if (notebook !== undefined && isSynchronized) {
    await sendNotebook(client, notebook, off);
    return;
  }
  const documents = notebook?.getCells().map((cell) => cell.document) ?? [document];
  const convert = client.code2ProtocolConverter;
  for (const each of documents)
    await (off
      ? client.sendNotification('textDocument/didClose', convert.asCloseTextDocumentParams(each))
      : client.sendNotification('textDocument/didOpen', convert.asOpenTextDocumentParams(each)));
}

async function sendNotebook(
  client: LanguageClient,
  notebook: vscode.NotebookDocument,
  off: boolean,
): Promise<void> {
  const convert = client.code2ProtocolConverter;
  const uri = convert.asUri(notebook.uri);
  const cells = notebook.getCells();
  if (off) {
    await client.sendNotification('notebookDocument/didClose', {
      notebookDocument: { uri },
      cellTextDocuments: cells.map(({ document }) => convert.asTextDocumentIdentifier(document)),
    });
    return;
  }
  await client.sendNotification('notebookDocument/didOpen', {
    notebookDocument: {
      uri,
      notebookType: notebook.notebookType,
      version: notebook.version,
      cells: cells.map(({ kind, document }) => ({ kind, document: convert.asUri(document.uri) })),
    },
    cellTextDocuments: cells.map(({ document }) => convert.asTextDocumentItem(document)),
  });
}
