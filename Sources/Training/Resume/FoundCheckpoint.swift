import Foundation

/// The checkpoint that a request means, as the root finds it.
struct FoundCheckpoint {
  /// What the other ranks have to know of it.
  struct Told: Codable {
    var record: CheckpointRecord
    var path: String
    var warnings: [String] = []
    var isOwn: Bool
  }

  let checkpoint: Checkpoint
  let store: CheckpointStore
  let told: Told

  /// - Returns: nil if there is none, and none is demanded.
  static func search(
    _ request: ResumeRequest, for configuration: TrainingConfiguration
  ) throws -> FoundCheckpoint? {
    let (own, keep) = (configuration.output, configuration.checkpoint.keep)
    switch request {
    case .none: return nil
    case .automatic:
      return try newest(in: CheckpointStore(runDirectory: own, keep: keep), isOwn: true)
    case .path(let path):
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      guard isFolder.boolValue else {
        return try file(path, CheckpointStore(runDirectory: own, keep: keep))
      }
      let store = CheckpointStore(runDirectory: path, keep: keep)
      guard let found = try newest(in: store, isOwn: areSame(path, own)) else {
        throw TrainingError(ExitStatus.missingInput, "\(path): there are no checkpoints in it")
      }
      return found
    }
  }

  private static func newest(in store: CheckpointStore, isOwn: Bool) throws -> FoundCheckpoint? {
    var store = store
    var warnings: [String] = []
    guard let checkpoint = try store.newestGood(warn: { warnings.append($0) }) else { return nil }
    let told = Told(
      record: checkpoint.record, path: store.path(step: checkpoint.record.step),
      warnings: warnings, isOwn: isOwn)
    return FoundCheckpoint(checkpoint: checkpoint, store: store, told: told)
  }

  /// - Parameter own: the run's own checkpoints.
  private static func file(_ path: String, _ own: CheckpointStore) throws -> FoundCheckpoint {
    var own = own
    let checkpoint = try Checkpoint(contentsOf: path)
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let told = Told(record: checkpoint.record, path: path, isOwn: areSame(folder, own.folder))
    if told.isOwn { own.adopt(checkpoint) }
    return FoundCheckpoint(checkpoint: checkpoint, store: own, told: told)
  }

  private static func areSame(_ a: String, _ b: String) -> Bool {
    let paths = [a, b].map { URL(fileURLWithPath: $0).resolvingSymlinksInPath().path }
    return paths[0] == paths[1]
  }
}
