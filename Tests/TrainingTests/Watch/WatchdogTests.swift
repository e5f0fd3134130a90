import Foundation
import TestSupport
import Testing

@testable import Training

@Suite("a watchdog's surroundings")
struct WatchdogTests {
  @Test("a process's state is read behind its name, whatever that is")
  func state() throws {
    let state = try #require(ProcessState(stat: "12 (a) T 3 (b)) S 77 12 12 0 -1"))
    #expect(state.code == "S" && state.parent == 77 && !state.isStopped)
    #expect(ProcessState(stat: "12 (x) T 1 2")?.isStopped == true)
    #expect(ProcessState(stat: "12 (x)") == nil)
    #expect(ProcessState(getpid())?.parent == getppid())
  }

  @Test("datagrams arrive")
  func datagrams() throws {
    let one = try #require(WatchSocket())
    let other = try #require(WatchSocket())
    let route = try #require(
      NetworkInterface.route(to: other.address.hosts, isHere: true, over: []))
    one.send([1, 2, 3], to: Watchdog.Route(host: route, port: other.address.port))
    var request = pollfd(fd: other.descriptor, events: Int16(POLLIN), revents: 0)
    #expect(poll(&request, 1, 10_000) == 1)
    var buffer = [UInt8](repeating: 0, count: 100)
    #expect(other.receive(into: &buffer).map(Array.init) == [1, 2, 3])
    #expect(other.receive(into: &buffer) == nil)
  }

  @Test("a peer is reached on a network that both are on, and not on a bridge that both have")
  func routes() {
    func ip(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32) -> UInt32 {
      (a << 24 | b << 16 | c << 8 | d).bigEndian
    }
    let mask = ip(255, 255, 255, 0)
    let own = [
      NetworkInterface(address: ip(172, 17, 0, 1), mask: mask),
      NetworkInterface(address: ip(10, 0, 1, 1), mask: mask),
    ]
    let peer = [ip(172, 17, 0, 1), ip(192, 168, 0, 2), ip(10, 0, 1, 2)]
    #expect(NetworkInterface.route(to: peer, isHere: false, over: own) == ip(10, 0, 1, 2))
    #expect(
      NetworkInterface.route(to: Array(peer[..<2]), isHere: false, over: own)
        == ip(192, 168, 0, 2))
    #expect(NetworkInterface.route(to: [peer[0]], isHere: false, over: own) == nil)
    #expect(NetworkInterface.route(to: [], isHere: true, over: own) == ip(127, 0, 0, 1))
  }
}
