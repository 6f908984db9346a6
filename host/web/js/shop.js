// The demo shop: what a tracked site looks like. Only the data-track attributes concern Clickstream.

import { byId, html, svg } from './dom.js';

const PRODUCTS = [
  { id: 'assam', name: 'Assam, second flush', note: '100 g tin, malty', price: 8.9, picture: 'tin', tone: 'amber', department: 'tea' },
  { id: 'sencha', name: 'Sencha from Uji', note: '80 g, first harvest', price: 11.5, picture: 'pouch', tone: 'leaf', department: 'tea' },
  { id: 'teapot', name: 'Cast-iron teapot', note: '0.8 l, with strainer', price: 64, picture: 'teapot', tone: 'iron', department: 'ware' },
  { id: 'oolong', name: 'High-mountain oolong', note: '75 g, lightly roasted', price: 14.2, picture: 'pouch', tone: 'jade', department: 'tea' },
  { id: 'cup', name: 'Stoneware cup', note: '180 ml, thrown by hand', price: 18, picture: 'cup', tone: 'clay', department: 'ware' },
  { id: 'whisk', name: 'Bamboo whisk', note: '100 tines, for matcha', price: 12, picture: 'whisk', tone: 'straw', department: 'ware' },
];
const DEPARTMENTS = [['all', 'Everything'], ['tea', 'Tea'], ['ware', 'Teaware']];

const euros = new Intl.NumberFormat('en-IE', { style: 'currency', currency: 'EUR' });
let basket = [];

const say = (text) => { byId('said').textContent = text; };
const total = () => euros.format(basket.reduce((sum, product) => sum + product.price, 0));

function put(product) {
  basket.push(product);
  byId('basket-count').textContent = String(basket.length);
  say(`${product.name} is in your basket: ${basket.length} in all, ${total()}.`);
}

function card(product) {
  return html('article', { class: 'product', 'data-track': `product-${product.id}`, 'data-track-kind': 'product' },
    html('div', { class: `picture tone-${product.tone}` }, svg('svg', { 'aria-hidden': 'true' }, svg('use', { href: `/web/shop.svg#${product.picture}` }))),
    html('div', { class: 'product-text' },
      html('h3', null, product.name),
      html('p', { class: 'note' }, product.note),
      html('div', { class: 'buy' },
        html('span', { class: 'price' }, euros.format(product.price)),
        html('button', {
          class: 'add', type: 'button', 'data-track': `add-${product.id}`, 'data-track-kind': 'button',
          'aria-label': `Add ${product.name} to the basket`, onclick: () => put(product),
        }, 'Add'))));
}

function open(department) {
  for (const button of byId('departments').children) button.setAttribute('aria-pressed', String(button.dataset.department === department));
  byId('products').replaceChildren(...PRODUCTS.filter((p) => department === 'all' || p.department === department).map(card));
}

/** Fills the shop. A department is a page view of its own, though the address stays. */
export function startShop() {
  byId('departments').append(...DEPARTMENTS.map(([department, name]) => html('button', {
    type: 'button', 'data-department': department, 'data-track': `department-${department}`, 'data-track-kind': 'tab',
    onclick: () => {
      open(department);
      window.clickstream?.page(department === 'all' ? {} : { path: `/shop/${department}`, title: `Fern & Kettle: ${name}` });
    },
  }, name)));
  byId('basket').addEventListener('click', () => say(basket.length ? `${basket.length} in your basket, ${total()}.` : 'Your basket is empty.'));
  document.querySelector('[data-track="subscribe"]').addEventListener('click', () => say('Thank you. This shop sells nothing, but the click was real.'));
  open('all');
  if (navigator.globalPrivacyControl || navigator.doNotTrack === '1') {
    say('Your browser asks not to be tracked, and the script obeys: clicks in this window are not recorded.');
  }
}
