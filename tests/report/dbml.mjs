// dbml.mjs FILE…: reads each file with DBML's own parser, by which a relation to what is not there is an error, too.
// (`dbml2sql` of @dbml/cli is the same parser, but ends with status 0 whatever it finds.)
import { readFileSync } from 'node:fs';
import { Parser } from '@dbml/core';

let wrong = 0;
for (const file of process.argv.slice(2)) {
  try {
    const { schemas: [schema] } = new Parser().parse(readFileSync(file, 'utf8'), 'dbmlv2');
    const fields = schema.tables.reduce((sum, table) => sum + table.fields.length, 0);
    console.log(`${file}: ${schema.tables.length} tables, ${fields} columns, ${schema.refs.length} relations`);
  } catch (error) {
    wrong += 1;
    for (const { message, location } of error.diags ?? [{ message: String(error) }]) {
      console.error(`${file}:${location?.start.line ?? '?'}: ${message}`);
    }
  }
}
process.exit(wrong ? 1 : 0);
