// Elements made by hand. Text is always set as text, so nothing an event carries can become markup.

/** Gives `element` its attributes: null and false leave one out, true sets it empty. */
function dress(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** An HTML element. Children are nodes or text. */
export const html = (tag, attributes, ...children) => dress(document.createElement(tag), attributes, children);

/** An SVG element. */
export const svg = (tag, attributes, ...children) => dress(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);

/** The element with this id; the page always has it. */
export const byId = (id) => document.getElementById(id);

/** What a chart shows where there is nothing to draw: what is missing, and what to do about it. */
export const empty = (what, advice) => html('p', { class: 'empty' }, html('strong', null, what), ` ${advice}`);
