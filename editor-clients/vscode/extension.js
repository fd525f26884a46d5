// Starts `midline serve` and connects it; everything else is the server's.
const { workspace } = require('vscode');
const { LanguageClient } = require('vscode-languageclient/node');

let client;

exports.activate = async function () {
  const command = workspace.getConfiguration('midline').get('command');
  client = new LanguageClient(
    'midline',
    'Midline',
    { command, args: ['serve'] },
    {
      documentSelector: [{ scheme: 'file' }, { scheme: 'untitled' }],
      synchronize: { configurationSection: 'midline' },
    },
  );
  await client.start();
};

exports.deactivate = function () {
  return client?.stop();
};
