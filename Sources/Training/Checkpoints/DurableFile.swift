import Foundation

/// Files that are there, whole, when their writer says so, and whatever happens to the machine then.
/// A file is written under another name, synced, renamed, and then its folder is synced.
struct DurableFile {
  var calls = FileCalls()

  /// What names of files that are not yet complete end with.
  static let suffix = ".tmp"

  /// Writes `parts`, one after the other, to `name`. An earlier file of that name stays as it is
  /// until the other takes its place.
  /// - Throws: `TensorFileFault`; then nothing of the attempt is left.
  func write(
    _ parts: [UnsafeRawBufferPointer], to name: String, in folder: String
  ) throws(TensorFileFault) {
    let path = "\(folder)/\(name)"
    let temporary = try begin(path: path, name: name, folder: folder)
    do throws(TensorFileFault) {
      defer { close(temporary.descriptor) }
      for part in parts { try write(part, to: temporary.descriptor, path: path) }
      // After a failed fsync the kernel may have dropped what it could not write: no second try.
      guard calls.sync(temporary.descriptor) == 0 else { throw failure(path) }
      guard calls.rename(temporary.path, path) == 0 else { throw failure(path) }
    } catch {
      _ = calls.remove(temporary.path)
      throw error
    }
    try syncFolder(folder, path: path)
  }

  /// Makes the entries of `folder` durable.
  /// - Parameter path: the file that the error names.
  func syncFolder(_ folder: String, path: String) throws(TensorFileFault) {
    let descriptor = calls.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(path) }
    defer { close(descriptor) }
    // EINVAL: a file system that has no such operation for folders.
    guard calls.sync(descriptor) == 0 || errno == EINVAL else { throw failure(path) }
  }

  /// Removes files that writers have begun in `folder` and not completed, if the writers are dead.
  func sweep(_ folder: String) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for name in names where name.hasPrefix(".") && name.hasSuffix(DurableFile.suffix) {
      let path = "\(folder)/\(name)"
      let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
      guard descriptor >= 0 else { continue }
      // The lock goes with its process, on whatever host; where there are no locks, files stay.
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { _ = calls.remove(path) }
      close(descriptor)
    }
  }

  /// Opens a file that `sweep` leaves alone while this process lives.
  private func begin(
    path: String, name: String, folder: String
  ) throws(TensorFileFault) -> (path: String, descriptor: Int32) {
    while true {
      let random = String(UInt64.random(in: 0...UInt64.max), radix: 36)
      let temporary = "\(folder)/.\(name).\(random)\(DurableFile.suffix)"
      let descriptor = calls.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC)
      if descriptor < 0 {
        if errno == EINTR || errno == EEXIST { continue }
        throw failure(path, .unwritable)
      }
      // Somebody's `sweep` may have come between the two calls: then there is no name any more.
      flock(descriptor, LOCK_EX | LOCK_NB)
      var status = stat()
      if fstat(descriptor, &status) == 0, status.st_nlink > 0 { return (temporary, descriptor) }
      close(descriptor)
    }
  }

  private func write(
    _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String
  ) throws(TensorFileFault) {
    var rest = bytes[...]
    while !rest.isEmpty {
      // In pieces, so that a signal or a slow disk finds the thread between two calls.
      let count = calls.write(descriptor, UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 24)))
      if count < 0, errno == EINTR { continue }
      if count == 0 { errno = EIO }
      guard count > 0 else { throw failure(path) }
      rest = rest.dropFirst(count)
    }
  }

  /// The error for a call that has just failed.
  private func failure(
    _ path: String, _ kind: TensorFileFault.Kind = .writeFailed
  ) -> TensorFileFault {
    let remedy =
      switch errno {
      case ENOSPC, EDQUOT: "free space, or keep fewer checkpoints"
      case EACCES, EPERM, EROFS, ENOENT, ENOTDIR: "choose another folder with --output"
      default: "see to the disk, or choose another folder with --output"
      }
    return TensorFileFault(
      kind, path, "cannot be written: \(FileCalls.reason): \(remedy); what was there is untouched")
  }
}
