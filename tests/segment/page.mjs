// What a site's bundle is: Segment's client, loaded as its documentation has it but for where it finds the service.

import { AnalyticsBrowser } from '@segment/analytics-next';

window.load = (cdnURL, options) => {
  window.analytics = AnalyticsBrowser.load({ writeKey: 'demo', cdnURL }, options);
  return window.analytics.ready();
};
