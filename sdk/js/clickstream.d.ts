/** What a site says of itself; the classic script reads the same from its tag (`data-write-key`, `data-elements`, …). */
export interface Settings {
  /** The site's write key. Without one nothing is recorded. */
  writeKey: string;
  /** Where the service is, without a slash at the end: `https://stats.example`, `/stats`. Left out: the page's own origin. */
  host?: string;
  /** CSS selectors of elements to track besides those with `data-track`: `nav a, .product`. */
  elements?: string;
  /** Hold every event in memory, and store and send nothing, until `consent(true)`. */
  consent?: boolean | 'required';
  /** Store nothing in the browser: each page load is a visitor and a session of its own. */
  cookieless?: boolean;
  /** Keep the visitor's id in a cookie too, with these attributes: `domain=shop.example;path=/;max-age=31536000`. */
  cookie?: string;
}

/** Free-form properties of an event; what JSON can hold. */
export type Properties = Record<string, unknown>;

/** Properties of a page view. */
export interface PageProperties extends Properties {
  /** The path of a page that has no address of its own. */
  path?: string;
  /** Its title, in place of the document's. */
  title?: string;
}

export interface Clickstream {
  /** Records an event of the site's own. */
  track(name: string, properties?: Properties): void;
  /** Records a page view; needed only for pages without an address of their own. */
  page(properties?: PageProperties): void;
  /** From now on events are this person's. */
  identify(userId: string, traits?: Properties): void;
  /** The visitor's answer, remembered: `true` sends what was held; `false` forgets everything and records nothing. */
  consent(granted: boolean): void;
  /** Sends what is queued now; resolves when it was answered, or could not be sent. */
  flush(): Promise<void>;
}

/** Starts the tracking of this page. Call it once. */
export function start(settings: Settings): Clickstream;

declare global {
  interface Window {
    /** Set by the classic script, once it has run. */
    clickstream?: Clickstream;
  }
}
