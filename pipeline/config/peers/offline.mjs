// Loaded before a converter: whatever it asks of the network is refused, at once and by name.
import net from "node:net";

net.Socket.prototype.connect = function connect() {
  throw new Error("a converter asked the network, which it has none of here");
};
