import Foundation

/// A regular file, read from its start to its end. It is not mapped: a disk that fails would then be
/// a signal, and no error.
final class InputFile {
  let path: String
  /// Bytes.
  let count: Int
  private let descriptor: Int32

  init(_ path: String) throws(TensorFileFault) {
    // O_NONBLOCK: a pipe without a writer is refused below instead of waited for.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw errno == ENOENT || errno == ENOTDIR
        ? TensorFileFault(.missing, path, "no such file")
        : TensorFileFault(.unreadable, path, "cannot be read: \(FileCalls.reason)")
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw TensorFileFault(.unreadable, path, "cannot be read: not a regular file")
    }
    self.path = path
    self.descriptor = descriptor
    count = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// Bytes of memory that this machine has.
  static var memoryCount: Int { sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)) }

  /// Fills `bytes`.
  func read(into bytes: inout [UInt8]) throws(TensorFileFault) {
    try bytes.withUnsafeMutableBufferPointer { (bytes) throws(TensorFileFault) in
      try read(into: UnsafeMutableRawBufferPointer(bytes)) { _ in }
    }
  }

  /// Fills `bytes` piece by piece.
  /// - Parameter piece: gets each piece while it is in the cache.
  func read(
    into bytes: UnsafeMutableRawBufferPointer, piece: (UnsafeRawBufferPointer) -> Void
  ) throws(TensorFileFault) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = UnsafeMutableRawBufferPointer(rebasing: rest.prefix(1 << 18))
      let count = Foundation.read(descriptor, part.baseAddress, part.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw TensorFileFault(.unreadable, path, "cannot be read: \(FileCalls.reason)")
      }
      guard count > 0 else {
        throw TensorFileFault(.damaged, path, "damaged: the file became shorter while it was read")
      }
      piece(UnsafeRawBufferPointer(rebasing: part[..<count]))
      rest = rest.dropFirst(count)
    }
  }
}
