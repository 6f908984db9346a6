// The classic script: starts from its own tag.

import { start } from './start.js';

const { dataset, src } = document.currentScript;
window.clickstream ||= start({ host: src.replace(/\/[^/]*$/, ''), ...dataset });
