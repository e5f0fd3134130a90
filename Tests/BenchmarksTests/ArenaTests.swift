import Testing

@testable import Benchmarks

struct ArenaTests {
  @Test(
    "buffers take turns, do not overlap, and exceed what they are to cover",
    arguments: [1, 4, 64, 100, 4096, 100_000], [0, 5000, 65536])
  func turns(size: Int, covering: Int) {
    let byteCount = Arena.byteCount(largest: 100_000, covering: covering)
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
    defer { memory.deallocate() }
    var arena = Arena(memory)
    arena.cut(byteCount: size, covering: covering)
    var starts: [Int] = []
    while true {
      let start = arena.next() - memory.baseAddress!
      if start == starts.first { break }
      #expect(start % 64 == 0 && start >= (starts.last.map { $0 + size } ?? 0))
      #expect(start + size <= byteCount)
      starts.append(start)
    }
    if covering == 0 {
      #expect(starts.count == 1)
    } else {
      // A buffer takes whole cache lines.
      #expect(starts.count * ((size + 63) / 64 * 64) > covering)
    }
  }

  @Test("filling reaches every buffer")
  func fills() {
    let byteCount = Arena.byteCount(largest: 24, covering: 1000)
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
    defer { memory.deallocate() }
    memory.initializeMemory(as: UInt8.self, repeating: 0xff)
    var arena = Arena(memory)
    arena.cut(byteCount: 24, covering: 1000)
    arena.fill(with: Int64(7))
    for _ in 0..<100 {
      let buffer = arena.next()
      for offset in [0, 8, 16] { #expect(buffer.load(fromByteOffset: offset, as: Int64.self) == 7) }
    }
  }
}
