import CZlib
import Foundation

/// A file's content: mapped, so that the ranks of a node share one copy, or inflated if it is gzip.
final class FileBytes: @unchecked Sendable {  // immutable after init
  let bytes: UnsafeRawBufferPointer
  private let isMapped: Bool

  /// - Throws: `DatasetError` if the file is missing, unreadable or damaged.
  init(path: String) throws {
    // O_NONBLOCK: a pipe without a writer is refused below instead of waited for.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      let reason = String(cString: strerror(errno))
      throw errno == ENOENT || errno == ENOTDIR
        ? DatasetError(.missing, path, FileBytes.missing(path))
        : DatasetError(.unreadable, path, reason)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw DatasetError(.unreadable, path, "not a regular file")
    }
    let size = Int(status.st_size)
    guard size > 0 else { throw DatasetError(.malformed, path, "the file is empty") }
    guard let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED
    else { throw DatasetError(.unreadable, path, String(cString: strerror(errno))) }
    let mapped = UnsafeRawBufferPointer(start: base, count: size)

    guard size >= 2, mapped[0] == 0x1f, mapped[1] == 0x8b else {
      bytes = mapped
      isMapped = true
      return
    }
    defer { munmap(base, size) }
    bytes = try FileBytes.inflate(mapped, path: path)
    isMapped = false
  }

  deinit {
    if isMapped {
      munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress!), bytes.count)
    } else {
      bytes.deallocate()
    }
  }

  private static func missing(_ path: String) -> String {
    path.hasPrefix("/")
      ? "no such file" : "no such file in \(FileManager.default.currentDirectoryPath)"
  }

  /// Inflates gzip data, of one member or several.
  private static func inflate(
    _ input: UnsafeRawBufferPointer, path: String
  ) throws -> UnsafeRawBufferPointer {
    var stream = z_stream()
    guard CZlib_inflateInit2(&stream, 15 + 16) == Z_OK else {  // 16: expect a gzip header
      throw DatasetError(.unreadable, path, "zlib does not start")
    }
    defer { inflateEnd(&stream) }
    // The last four bytes hold the length modulo 2^32: a first guess, not to be trusted.
    let hint =
      input.count >= 18
      ? Int(input.loadUnaligned(fromByteOffset: input.count - 4, as: UInt32.self)) : 0
    var output = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(min(hint, 1100 * input.count), 4096), alignment: 64)
    var filled = 0
    func failure(_ reason: String) -> DatasetError {
      output.deallocate()
      return DatasetError(.malformed, path, reason)
    }
    stream.next_in = UnsafeMutablePointer(
      mutating: input.bindMemory(to: UInt8.self).baseAddress!)
    var remaining = input.count
    while true {
      if filled == output.count {
        let larger = UnsafeMutableRawBufferPointer.allocate(
          byteCount: 2 * output.count, alignment: 64)
        larger.copyMemory(from: UnsafeRawBufferPointer(output))
        output.deallocate()
        output = larger
      }
      let offered = UInt32(min(remaining, 1 << 30))
      let room = UInt32(min(output.count - filled, 1 << 30))
      stream.avail_in = offered
      stream.avail_out = room
      stream.next_out = output.baseAddress!.assumingMemoryBound(to: UInt8.self) + filled
      let code = CZlib.inflate(&stream, Z_NO_FLUSH)
      remaining -= Int(offered - stream.avail_in)
      filled += Int(room - stream.avail_out)
      switch code {
      case Z_OK, Z_BUF_ERROR:
        if remaining == 0 && stream.avail_out > 0 {
          throw failure("the gzip data ends early: fetch the file again")
        }
      case Z_STREAM_END:
        guard remaining > 0 else {
          return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(output)[..<filled])
        }
        guard inflateReset(&stream) == Z_OK else { throw failure("zlib does not go on") }
      default:
        let reason = stream.msg.map { String(cString: $0) } ?? "code \(code)"
        throw failure("damaged gzip data (\(reason)): fetch the file again")
      }
    }
  }
}
