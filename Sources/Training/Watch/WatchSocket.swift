import Foundation

/// Datagrams between the watchdogs of a job. They use no MPI, which belongs to another thread and
/// may be what hangs; one that is lost is made up for by the next.
final class WatchSocket: Sendable {
  /// Where a host can be reached: its IPv4 addresses, and the socket's port; in network order.
  struct Address: Codable, Equatable, Sendable {
    var hosts: [UInt32]
    var port: UInt16
  }

  let descriptor: Int32
  let address: Address

  /// Nil if the system has no socket to give.
  init?() {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | WatchSocket.flags, 0)
    guard descriptor >= 0 else { return nil }
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    guard isBound else {
      close(descriptor)
      return nil
    }
    self.descriptor = descriptor
    address = Address(hosts: NetworkInterface.all.map(\.address), port: name.sin_port)
  }

  deinit { close(descriptor) }

  private static let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)

  /// Sends without waiting; what cannot be sent is lost.
  func send(_ message: [UInt8], to route: Watchdog.Route) {
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = route.host
    name.sin_port = route.port
    _ = withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(
          descriptor, message, message.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  /// The next message that has arrived, in `buffer`; nil if there is none.
  func receive(into buffer: inout [UInt8]) -> ArraySlice<UInt8>? {
    let count = recv(descriptor, &buffer, buffer.count, 0)
    return count >= 0 ? buffer[..<count] : nil
  }
}

/// A network that this host is on.
struct NetworkInterface {
  /// In network order, both.
  var address: UInt32
  var mask: UInt32

  private static let loopback = UInt32(0x7f00_0001).bigEndian

  /// All that are up, but for the loopback.
  static var all: [NetworkInterface] {
    var first: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&first) == 0 else { return [] }
    defer { freeifaddrs(first) }
    var interfaces: [NetworkInterface] = []
    var next = first
    while let entry = next?.pointee {
      next = entry.ifa_next
      guard let name = entry.ifa_addr, name.pointee.sa_family == sa_family_t(AF_INET),
        let mask = entry.ifa_netmask, entry.ifa_flags & UInt32(IFF_UP) != 0,
        entry.ifa_flags & UInt32(IFF_LOOPBACK) == 0
      else { continue }
      interfaces.append(NetworkInterface(address: ipv4(name), mask: ipv4(mask)))
    }
    return interfaces
  }

  private static func ipv4(_ name: UnsafeMutablePointer<sockaddr>) -> UInt32 {
    name.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { $0.pointee.sin_addr.s_addr }
  }

  /// The address under which a peer is reached from a host with these interfaces: this host's own
  /// if it is here, else one on a network that both are on. An address that both have, as
  /// containers' bridges do, is neither's.
  static func route(to peer: [UInt32], isHere: Bool, over own: [NetworkInterface]) -> UInt32? {
    if isHere { return loopback }
    let others = peer.filter { address in !own.contains { $0.address == address } }
    let neighbour = others.first { address in
      own.contains { ($0.address ^ address) & $0.mask == 0 }
    }
    return neighbour ?? others.first
  }
}
