import Foundation

/// The folder that a run, or an experiment, leaves behind. Files that are read as a whole appear
/// whole: they are written under another name, and renamed.
public struct OutputDirectory {
  public let path: String

  /// Makes the folder. An earlier one of the same kind is moved aside, to `path.1`, `path.2`, ...
  /// - Parameter marker: a file that every folder of the kind has: others are left alone.
  /// - Returns: the directory, and where the earlier one went.
  /// - Throws: `TrainingError` (cannot write).
  public static func create(
    _ path: String, marker: String
  ) throws -> (OutputDirectory, movedTo: String?) {
    let files = FileManager.default
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    var movedTo: String?
    do {
      var isFolder: ObjCBool = false
      if files.fileExists(atPath: path, isDirectory: &isFolder) {
        guard isFolder.boolValue else {
          throw TrainingError(
            ExitStatus.cannotWrite, "\(path): a file is where the folder should be")
        }
        if try !files.contentsOfDirectory(atPath: path).isEmpty {
          guard files.fileExists(atPath: "\(path)/\(marker)") else {
            throw TrainingError(
              ExitStatus.cannotWrite,
              "\(path): this folder holds something else: choose another with --output")
          }
          let aside = (1...).lazy.map { "\(path).\($0)" }.first { !files.fileExists(atPath: $0) }!
          try files.moveItem(atPath: path, toPath: aside)
          movedTo = aside
        }
      }
      try files.createDirectory(atPath: path, withIntermediateDirectories: true)
      guard files.isWritableFile(atPath: path) else {
        throw TrainingError(ExitStatus.cannotWrite, "\(path): the folder is not writable")
      }
    } catch let error as TrainingError {
      throw error
    } catch {
      throw TrainingError(
        ExitStatus.cannotWrite,
        "\(path): the folder cannot be made: \(OutputDirectory.reason(error))")
    }
    return (OutputDirectory(path: path), movedTo)
  }

  /// Writes a file that is there completely, or not at all.
  /// - Throws: `TrainingError` (I/O fault).
  public func write(_ data: Data, to name: String) throws {
    do {
      try data.write(to: URL(fileURLWithPath: "\(path)/\(name)"), options: .atomic)
    } catch {
      throw TrainingError(
        ExitStatus.inputOutput,
        "\(path)/\(name): cannot be written: \(OutputDirectory.reason(error))")
    }
  }

  /// Removes the folder, and puts back what `create` had moved aside.
  func remove(restoring movedTo: String?) {
    try? FileManager.default.removeItem(atPath: path)
    if let movedTo { try? FileManager.default.moveItem(atPath: movedTo, toPath: path) }
  }

  static func reason(_ error: any Error) -> String {
    let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? POSIXError
    return cause.map { String(cString: strerror($0.code.rawValue)) } ?? error.localizedDescription
  }
}
