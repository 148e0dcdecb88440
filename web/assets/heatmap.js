/* Legends follow the layers that are shown; a name in a table goes to its place on the map. */
function explain(map, shown) {
  const sections = document.querySelectorAll(".legend");
  L.control.scale({ imperial: false, position: "bottomright", maxWidth: 160 }).addTo(map);
  const draw = () => {
    for (const section of sections) section.hidden = !shown.has(section.dataset.layer);
  };
  map.on("overlayadd", (event) => { shown.add(event.name); draw(); });
  map.on("overlayremove", (event) => { shown.delete(event.name); draw(); });
  draw();
  for (const button of document.querySelectorAll("[data-bounds]")) {
    const [west, south, east, north] = button.dataset.bounds.split(",").map(Number);
    button.addEventListener("click", () => map.fitBounds([[south, west], [north, east]], { padding: [40, 40], maxZoom: 14 }));
  }
}
