// Before anything is seen: the reader's language, from the address, the browser, or the page's own.
const known = document.documentElement.dataset.languages.split(" ");
const wishes = [new URLSearchParams(location.search).get("lang"), ...(navigator.languages ?? [])];
const wish = wishes.map((one) => (one ?? "").slice(0, 2).toLowerCase()).find((one) => known.includes(one));
if (wish) document.documentElement.lang = wish;
