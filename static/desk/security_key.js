/* Says on the page when a security key could not be asked, instead of in the console alone. */

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  document.getElementById("key-trouble").hidden = false;
});
