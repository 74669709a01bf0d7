// The part of the address after #: "#/markets/3" is ["markets", "3"].

const parts = () => location.hash.replace(/^#\/?/, "").split("/").filter(Boolean);

class Route {
  parts = $state.raw(parts());

  constructor() {
    window.addEventListener("hashchange", () => {
      this.parts = parts();
      window.scrollTo(0, 0);
    });
  }
}

export const route = new Route();
export const go = (path: string) => (location.hash = path);
