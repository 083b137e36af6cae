// SPDX-License-Identifier: BSL-1.0
// Usage: node tedious.js PORT, where `tedious` is installed. Microsoft's protocol as npm's client speaks it.
const assert = require('node:assert');
const { Connection, Request } = require('tedious');
const port = Number(process.argv[2]);

const open = (password, database) => new Promise((resolve) => {
  const connection = new Connection({
    server: '127.0.0.1',
    authentication: { type: 'default', options: { userName: 'monitor', password } },
    options: { port, database, encrypt: false, connectTimeout: 20000, requestTimeout: 1000 },
  });
  connection.on('error', () => {});
  connection.connect((error) => resolve(error ? error.message : connection));
});
const ask = (connection, sql, how) => new Promise((resolve) => {
  const rows = [];
  const request = new Request(sql, (error) => resolve(error ? error.message : rows.join()));
  request.on('row', (columns) => rows.push(columns.map((column) => column.value)));
  connection[how](request);
});

(async () => {
  assert.strictEqual(await open('wrong', 'orders'), "Login failed for user 'monitor'.");
  assert.match(await open('Vq8zKw3x', 'nowhere'), /Cannot open database "nowhere"/);
  const connection = await open('Vq8zKw3x', 'orders');
  for (const how of ['execSqlBatch', 'execSql']) { // as a batch, and as a call of sp_executesql
    assert.strictEqual(await ask(connection, 'SELECT 1', how), '1');
    assert.strictEqual(await ask(connection, 'SELECT TOP 3', how), '0,1,2');
    assert.strictEqual(await ask(connection, 'SELECT 1/0', how), 'Divide by zero error encountered.');
    assert.strictEqual(await ask(connection, 'SELECT * FROM no_such_table', how), "Invalid object name 'no_such_table'.");
    assert.strictEqual(await ask(connection, 'WAITFOR DELAY 100', how), '');
    assert.match(await ask(connection, 'WAITFOR DELAY 60000', how), /failed to complete in 1000ms/);
    assert.strictEqual(await ask(connection, 'SELECT 1', how), '1'); // after the ATTENTION
  }
  assert.match(await ask(connection, 'SELECT NULL AND DIE', 'execSqlBatch'), /hang up|closed|lost/i);
  connection.close();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
