// Holds every dashboard to Grafana's own types (@grafana/schema): the dashboard, and the options and custom field settings of each
// panel by its type. Field names that Grafana does not know are errors, and so are values that it does not know.
//   node check.mjs FOLDER_WITH_NODE_MODULES
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const home = resolve(process.argv[2]);
const dashboards = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../../../grafana/dashboards');
const work = join(home, 'typed');
rmSync(work, { recursive: true, force: true });
mkdirSync(work);

// JSON has texts where the types have enums.
writeFileSync(
  join(work, 'plain.ts'),
  `export type Plain<T> =
  T extends string ? \`\${T}\` :
  T extends number ? (\`\${T}\` extends \`\${infer N extends number}\` ? N : never) :
  T extends boolean | null | undefined ? T :
  T extends Array<infer U> ? Array<Plain<U>> :
  T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
`,
);

const kinds = { timeseries: true, stat: false, bargauge: false, piechart: true, table: true };
const title = (kind) => ({ timeseries: 'TimeSeries', stat: 'Stat', bargauge: 'BarGauge', piechart: 'PieChart', table: 'Table' })[kind];
let panels = 0;
for (const language of readdirSync(dashboards)) {
  for (const file of readdirSync(join(dashboards, language))) {
    const board = JSON.parse(readFileSync(join(dashboards, language, file), 'utf8'));
    // What belongs to a data source's plugin has no type here.
    for (const annotation of board.annotations.list) {
      annotation.target = { refId: annotation.target.refId };
      delete annotation.titleFormat;
    }
    const lines = [
      "import type { Dashboard } from '@grafana/schema';",
      "import type { Plain } from './plain';",
      ...Object.keys(kinds).map((k) => `import type * as ${k} from '@grafana/schema/dist/esm/raw/composable/${k}/panelcfg/x/${title(k)}PanelCfg_types.gen';`),
      `export const board: Plain<Dashboard> = ${JSON.stringify(board, null, 1)};`,
    ];
    board.panels.forEach((panel, i) => {
      panels += 1;
      if (!(panel.type in kinds)) throw new Error(`${language}/${file}: no types are known of panel type ${panel.type}`);
      lines.push(`export const options${i}: Plain<Partial<${panel.type}.Options>> = ${JSON.stringify(panel.options)};`);
      const custom = kinds[panel.type] ? `Plain<Partial<${panel.type}.FieldConfig>>` : 'Record<string, never>';
      lines.push(`export const custom${i}: ${custom} = ${JSON.stringify(panel.fieldConfig.defaults.custom)};`);
    });
    writeFileSync(join(work, `${language}-${file.replace('.json', '.ts')}`), lines.join('\n'));
  }
}
writeFileSync(
  join(work, 'tsconfig.json'),
  JSON.stringify({ compilerOptions: { strict: true, noEmit: true, skipLibCheck: true, module: 'nodenext', moduleResolution: 'nodenext', types: [] }, include: ['*.ts'] }),
);
try {
  execFileSync(join(home, 'node_modules/.bin/tsc'), ['-p', work], { stdio: 'inherit' });
} catch {
  process.exit(1);
}
console.log(`${panels} panels are of Grafana's types`);
