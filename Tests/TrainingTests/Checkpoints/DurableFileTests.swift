import Foundation
import TestSupport
import Testing

@testable import Training

@Suite("a durable file")
struct DurableFileTests {
  private static let old = Array("old".utf8)
  private static let new = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }

  private func write(_ calls: FileCalls, in folder: TemporaryDirectory) throws {
    try Self.new.withUnsafeBytes { bytes in
      let parts = [
        UnsafeRawBufferPointer(rebasing: bytes[..<300]),
        UnsafeRawBufferPointer(rebasing: bytes[300...]),
      ]
      try DurableFile(calls: calls).write(parts, to: "file", in: folder.path)
    }
  }

  private func content(_ folder: TemporaryDirectory) throws -> [String: [UInt8]] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).reduce(into: [:]) {
      $0[$1] = Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\($1)")))
    }
  }

  @Test("is complete where writes are short or interrupted")
  func shortWrites() throws {
    let folder = try TemporaryDirectory()
    let count = Counter()
    var calls = FileCalls()
    calls.write = { descriptor, bytes in
      if count.next() % 3 == 0 {
        errno = EINTR
        return -1
      }
      return FileCalls().write(descriptor, UnsafeRawBufferPointer(rebasing: bytes.prefix(7)))
    }
    try write(calls, in: folder)
    #expect(try content(folder) == ["file": Self.new])
    #expect(count.next() > 1000 / 7)
  }

  @Test(
    "whichever call fails, the file before is still there or the other one is, and nothing else",
    arguments: [ENOSPC, EIO, EROFS, EDQUOT])
  func everyCall(code: Int32) throws {
    // Calls in a successful write.
    let successful = Counter()
    try write(failing(at: .max, code, successful), in: try TemporaryDirectory())
    let callCount = successful.next()
    #expect(callCount >= 7)
    for call in 0..<callCount {
      let folder = try TemporaryDirectory()
      _ = try folder.file("file", Self.old)
      let count = Counter()
      let fault = #expect(throws: TensorFileFault.self, "call \(call)") {
        try write(failing(at: call, code, count), in: folder)
      }
      let text = fault?.description ?? ""
      #expect(text.hasPrefix("\(folder.path)/file: cannot be written: "))
      #expect(text.contains(String(cString: strerror(code))))
      #expect(fault?.exitCode == (call == 0 ? ExitStatus.cannotWrite : ExitStatus.inputOutput))
      let left = try content(folder)
      #expect(left == ["file": Self.old] || left == ["file": Self.new], "call \(call)")
    }
  }

  /// Calls of which one fails.
  private func failing(at failing: Int, _ code: Int32, _ count: Counter) -> FileCalls {
    let real = FileCalls()
    @Sendable func fails() -> Bool {
      let isFailure = count.next() == failing
      if isFailure { errno = code }
      return isFailure
    }
    var calls = FileCalls()
    calls.open = { fails() ? -1 : real.open($0, $1) }
    calls.write = { fails() ? -1 : real.write($0, $1) }
    calls.sync = { fails() ? -1 : real.sync($0) }
    calls.rename = { fails() ? -1 : real.rename($0, $1) }
    return calls
  }

  @Test("a write that writes nothing is an error, and no endless loop")
  func nothingWritten() throws {
    let folder = try TemporaryDirectory()
    var calls = FileCalls()
    calls.write = { _, _ in 0 }
    #expect(throws: TensorFileFault.self) { try write(calls, in: folder) }
    #expect(try content(folder).isEmpty)
  }

  @Test("unfinished files go if their writers are dead, and nothing else does")
  func sweep() throws {
    let folder = try TemporaryDirectory()
    for name in ["file", ".file.abc.tmp", ".other.tmp", "visible.tmp", ".hidden"] {
      _ = try folder.file(name, name)
    }
    // A lock of another open file keeps the sweeper away, be it of this process or of another.
    let alive = open("\(folder.path)/.other.tmp", O_RDONLY)
    defer { close(alive) }
    #expect(flock(alive, LOCK_EX | LOCK_NB) == 0)
    DurableFile().sweep(folder.path)
    #expect(Set(try content(folder).keys) == ["file", ".other.tmp", "visible.tmp", ".hidden"])
    DurableFile().sweep(folder.path + "/none")
  }

  @Test("a file that is being written is not swept")
  func sweepWhileWriting() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path
    var calls = FileCalls()
    calls.sync = {
      DurableFile().sweep(path)
      return fsync($0)
    }
    try write(calls, in: folder)
    #expect(try content(folder) == ["file": Self.new])
  }
}

/// Counts calls from any thread.
final class Counter: @unchecked Sendable {
  private let lock = NSLock()
  private var count = 0

  /// The calls before this one.
  func next() -> Int {
    lock.withLock {
      defer { count += 1 }
      return count
    }
  }
}
