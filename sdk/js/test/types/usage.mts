// What compiles is what clickstream.d.ts promises; each @ts-expect-error is what it must refuse.
import { start, type Clickstream } from 'clickstream-js';

const clickstream: Clickstream = start({ writeKey: 'k', elements: 'nav a, .product', consent: 'required', cookie: 'path=/' });
clickstream.track('coupon_used', { code: 'TEA10', items: [1, 2] });
clickstream.page({ path: '/shop/tea', title: 'Tea', department: 'tea' });
clickstream.page();
clickstream.identify('user-17', { plan: 'pro' });
clickstream.consent(true);
await clickstream.flush();
window.clickstream?.track('from the classic script');

// @ts-expect-error a site has a write key
start({ host: '' });
// @ts-expect-error an event has a name
clickstream.track();
// @ts-expect-error a path is text
clickstream.page({ path: 1 });
// @ts-expect-error the answer is yes or no
clickstream.consent('maybe');
