// A consent switch: two buttons and one call.
document.querySelector('#consent').addEventListener('click', ({ target }) => {
  if (!target.value) return;
  window.clickstream?.consent(target.value === 'yes');
  document.querySelector('#consent').hidden = true;
});
document.querySelector('form').addEventListener('submit', (e) => {
  e.preventDefault();
  document.querySelector('h1').textContent = 'Thank you. Nothing was sent.';
});
