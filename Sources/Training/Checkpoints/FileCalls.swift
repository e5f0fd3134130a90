import Foundation

/// The system calls on which a file's durability depends. Each sets `errno` and returns -1 where it
/// fails.
struct FileCalls: Sendable {
  var open: @Sendable (_ path: String, _ flags: Int32) -> Int32 = {
    Foundation.open($0, $1, 0o666)
  }
  var write: @Sendable (Int32, UnsafeRawBufferPointer) -> Int = {
    Foundation.write($0, $1.baseAddress, $1.count)
  }
  var sync: @Sendable (Int32) -> Int32 = { fsync($0) }
  var rename: @Sendable (_ from: String, _ to: String) -> Int32 = { Foundation.rename($0, $1) }
  var remove: @Sendable (String) -> Int32 = { unlink($0) }

  /// What the last call that failed says.
  static var reason: String { String(cString: strerror(errno)) }
}
