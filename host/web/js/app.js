// The page: a shop to click in, the events that arrive, the reports that count them.

import { byId } from './dom.js';
import { follow } from './stream.js';
import { show, startLive } from './live.js';
import { beat, startPulse } from './pulse.js';
import { startTrace } from './trace.js';
import { startShop } from './shop.js';
import { arrived, startReports } from './reports.js';

const STATES = { connecting: 'Connecting', open: 'Live', lost: 'No answer, trying again' };

startShop();
startTrace();
startLive();
startPulse();
startReports();
follow((event) => {
  show(event);
  beat(event.verdict);
  arrived(event);
}, (state) => {
  byId('link').dataset.state = state;
  byId('link-text').textContent = STATES[state];
});
