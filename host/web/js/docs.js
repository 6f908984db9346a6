// The description of the API as a page that can also try it.

window.SwaggerUIBundle?.({ url: '/openapi.json', dom_id: '#api', deepLinking: true, tryItOutEnabled: true, validatorUrl: null });
