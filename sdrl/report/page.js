"use strict";
(function () {
  var root = document.documentElement;
  var theme = document.getElementById("theme");
  theme.hidden = false;
  theme.addEventListener("click", function () {
    var dark = matchMedia("(prefers-color-scheme: dark)").matches;
    var now = root.dataset.theme || (dark ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
  });

  // The link of the section that is read.
  var links = {};
  document.querySelectorAll("nav a").forEach(function (link) { links[link.getAttribute("href").slice(1)] = link; });
  var seen = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      if (!entry.isIntersecting) return;
      Object.keys(links).forEach(function (name) { links[name].removeAttribute("aria-current"); });
      links[entry.target.id].setAttribute("aria-current", "true");
    });
  }, { rootMargin: "-15% 0px -80% 0px" });
  document.querySelectorAll("main > section").forEach(function (section) { seen.observe(section); });

  // A cell's number where it starts with one ("1 min 05 s" counts minutes and seconds), else its text.
  function key(cell) {
    if (cell.dataset.sort !== undefined) return Number(cell.dataset.sort);
    var text = cell.textContent.trim();
    var time = /^(?:(\d+) h )?(?:(\d+) min ?)?(?:([\d.]+) s)?$/.exec(text);
    if (text && time) return (time[1] || 0) * 3600 + (time[2] || 0) * 60 + Number(time[3] || 0);
    var number = /^[+\-\u2212]?[\d,]*\.?\d+/.exec(text);
    return number ? Number(number[0].replace(/,/g, "").replace("\u2212", "-")) : text;
  }
  function compare(a, b) {
    if (typeof a === "number" && typeof b === "number") return a - b;
    if (typeof a === "number") return -1;
    if (typeof b === "number") return 1;
    return a.localeCompare(b);
  }
  document.querySelectorAll("table").forEach(function (table) {
    var heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach(function (head, column) {
      var button = head.querySelector("button");
      if (!button) return;
      button.addEventListener("click", function () {
        var sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
        var rows = Array.from(table.tBodies[0].rows);
        rows.sort(function (a, b) { return sign * compare(key(a.cells[column]), key(b.cells[column])); });
        rows.forEach(function (row) { table.tBodies[0].appendChild(row); });
      });
    });
  });

  var gallery = document.getElementById("samples");
  if (!gallery) return;
  document.querySelector(".filters").hidden = false;
  var AT_ONCE = 25;
  var cards = Array.from(gallery.children);
  var words = new Map(cards.map(function (card) { return [card, card.textContent.toLowerCase()]; }));
  var inputs = ["stage", "outcome", "mark", "order", "search"].map(function (name) {
    return document.getElementById("f-" + name);
  });
  var count = document.getElementById("f-count"), more = document.getElementById("f-more");
  var limit = AT_ONCE, order = "", listed = cards;
  function show() {
    var stage = inputs[0].value, outcome = inputs[1].value, mark = inputs[2].value;
    var search = inputs[4].value.toLowerCase();
    if (inputs[3].value !== order) sort(inputs[3].value);
    var fitting = 0;
    listed.forEach(function (card) {
      var fits = (!stage || card.dataset.stage === stage) && (!outcome || card.dataset.outcome === outcome) &&
        (!mark || card.dataset.marks.split("|").indexOf(mark) >= 0) && (!search || words.get(card).indexOf(search) >= 0);
      fitting += fits ? 1 : 0;
      card.hidden = !fits || fitting > limit;
    });
    count.textContent = fitting + " of " + cards.length;
    var rest = fitting - limit;
    more.hidden = rest <= 0;
    more.textContent = "show " + Math.min(rest, AT_ONCE) + " more of " + rest;
  }
  function sort(name) {
    order = name;
    listed = cards.slice();
    if (name) listed.sort(function (a, b) { return at(a, name) - at(b, name); });
    listed.forEach(function (card) { gallery.appendChild(card); });
  }
  function at(card, name) { return card.dataset[name] === undefined ? 2 : Number(card.dataset[name]); }
  inputs.forEach(function (input) {
    input.addEventListener("input", function () { limit = AT_ONCE; show(); });
  });
  more.addEventListener("click", function () { limit += AT_ONCE; show(); });
  gallery.addEventListener("click", function (event) {
    if (!event.target.classList.contains("seek")) return;
    inputs[0].value = inputs[1].value = inputs[2].value = "";
    inputs[4].value = event.target.textContent;
    limit = AT_ONCE;
    show();
    inputs[4].focus();
  });
  addEventListener("beforeprint", function () { document.querySelectorAll("main > section > details").forEach(function (each) { each.open = true; }); });
  show();
})();
