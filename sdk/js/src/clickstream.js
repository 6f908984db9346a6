// The classic script: starts from its own tag.

import { start } from './start.js';

const { currentScript } = document;
window.clickstream ||= start({ host: currentScript.src.replace(/\/[^/]*$/, ''), ...currentScript.dataset });
