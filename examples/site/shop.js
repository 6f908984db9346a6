// A page that draws itself: elements that come later are tracked like any other, and a filter is a page of its own.

const PRODUCTS = [
  { id: 'fell', name: 'Fell, charcoal', kind: 'blanket', price: 120 },
  { id: 'tarn', name: 'Tarn, blue', kind: 'blanket', price: 135 },
  { id: 'moor', name: 'Moor, heather', kind: 'throw', price: 80 },
];
let count = 0;

const make = (name, attributes, ...children) => {
  const el = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) el.setAttribute(key, value);
  el.append(...children);
  return el;
};

function card({ id, name, price }) {
  const add = make('button', { 'data-track': `add-${id}`, 'data-track-kind': 'button' }, 'Add to the basket');
  add.addEventListener('click', () => {
    count += 1;
    document.querySelector('#basket').textContent = `${count} in your basket.`;
    // An event of this site's own.
    window.clickstream?.track('basket_changed', { product: id, count });
  });
  return make('article', { 'data-track': `product-${id}`, 'data-track-kind': 'product' }, make('h2', {}, name), make('p', {}, `€ ${price}`), add);
}

function show(kind) {
  document.querySelector('#products').replaceChildren(...PRODUCTS.filter((p) => !kind || p.kind === kind).map(card));
}

for (const [kind, label] of [['', 'Everything'], ['blanket', 'Blankets'], ['throw', 'Throws']]) {
  const button = make('button', { 'data-track': `filter-${kind || 'all'}`, 'data-track-kind': 'filter' }, label);
  button.addEventListener('click', () => {
    show(kind);
    // A new address is a page view by itself; nothing to call.
    history.pushState({ kind }, '', kind ? `?kind=${kind}` : location.pathname);
  });
  document.querySelector('#filters').append(button);
}
addEventListener('popstate', (e) => show(e.state?.kind));
show('');
