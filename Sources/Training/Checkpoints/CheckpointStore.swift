import Foundation

/// The checkpoints of a run: files `step-00000500.safetensors` in a folder.
///
/// An old file goes only when enough newer ones are good - written, or read and checked, by this
/// process - so whatever else is damaged, the last good one stays.
public struct CheckpointStore: Sendable {
  public let folder: String
  /// So many good ones stay, and the best beside them.
  public let keep: Int
  /// The best one so far.
  public private(set) var best: CheckpointRecord.Best?
  /// Steps whose files this process has written or checked.
  private var good: Set<Int> = []
  private let files: DurableFile

  /// The folder `checkpoints` of a run; it need not be there.
  public init(runDirectory: String, keep: Int = 3) {
    self.init(runDirectory: runDirectory, keep: keep, files: DurableFile())
  }

  init(runDirectory: String, keep: Int, files: DurableFile) {
    precondition(keep >= 1)
    folder = "\(runDirectory)/checkpoints"
    self.keep = keep
    self.files = files
  }

  static let suffix = ".safetensors"

  /// The name of a step's file.
  static func name(step: Int) -> String {
    let digits = String(step)
    return "step-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits + suffix
  }

  package func path(step: Int) -> String { "\(folder)/\(CheckpointStore.name(step: step))" }

  /// Steps of which there is a file, in ascending order.
  package func steps() throws -> [Int] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder).compactMap { name in
        guard name.hasPrefix("step-"), name.hasSuffix(CheckpointStore.suffix),
          let step = Int(name.dropFirst(5).dropLast(CheckpointStore.suffix.count)),
          name == CheckpointStore.name(step: step)
        else { return nil }
        return step
      }.sorted()
    } catch CocoaError.fileReadNoSuchFile {
      return []
    } catch {
      throw TensorFileFault(
        .unreadable, folder, "cannot be read: \(OutputDirectory.reason(error))")
    }
  }

  /// The checkpoint of a step.
  ///
  /// A disk that has lost a write may have an older file, whole, in its place: the step is not only
  /// in the name.
  /// - Throws: `TensorFileFault`.
  package func checkpoint(step: Int) throws -> Checkpoint {
    let path = path(step: step)
    let checkpoint = try Checkpoint(contentsOf: path)
    guard checkpoint.record.step == step else {
      throw TensorFileFault(
        .damaged, path,
        "damaged: it holds step \(checkpoint.record.step): use another, or remove it")
    }
    return checkpoint
  }

  /// The newest checkpoint that can be read and is whole.
  /// - Parameter warn: is told of each newer one that is not.
  /// - Returns: nil if there are no checkpoints.
  /// - Throws: `TensorFileFault` if there are some and none is good.
  public mutating func newestGood(warn: (String) throws -> Void) throws -> Checkpoint? {
    let steps = try steps()
    for step in steps.reversed() {
      do {
        let checkpoint = try checkpoint(step: step)
        adopt(checkpoint)
        return checkpoint
      } catch let fault as TensorFileFault {
        try warn("\(fault.description); trying the checkpoint before it")
      }
    }
    guard steps.isEmpty else {
      throw TensorFileFault(
        .damaged, folder,
        "none of the \(steps.count) checkpoints is good: start anew with "
          + "--resume none")
    }
    return nil
  }

  /// Counts a checkpoint of this folder as good, and goes by its word for which was the best.
  mutating func adopt(_ checkpoint: Checkpoint) {
    good.insert(checkpoint.record.step)
    best = checkpoint.record.best
  }

  /// Makes the folder, durably, and removes what dead writers have left in it.
  func prepare() throws(TensorFileFault) {
    let run = URL(fileURLWithPath: folder).deletingLastPathComponent()
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw TensorFileFault(
        .unwritable, folder,
        "the folder cannot be made: \(OutputDirectory.reason(error)): choose another with --output")
    }
    try files.syncFolder(run.path, path: folder)
    // Not everybody may open the folder that runs are in.
    try? files.syncFolder(run.deletingLastPathComponent().path, path: folder)
    files.sweep(folder)
  }

  /// Takes later checkpoints out of the count, under other names: a run that goes on from `step`
  /// makes its own, and must not be resumed from those of another course.
  public func setAside(after step: Int) throws {
    let later = try steps().filter { $0 > step }
    guard !later.isEmpty else { return }
    for path in later.map(path(step:)) {
      let aside = (1...).lazy.map { "\(path).\($0)" }
        .first { !FileManager.default.fileExists(atPath: $0) }!
      guard rename(path, aside) == 0 else {
        throw TensorFileFault(.writeFailed, path, "cannot be renamed: \(FileCalls.reason)")
      }
    }
    try files.syncFolder(folder, path: folder)
  }

  /// Writes a checkpoint, and then removes files that are no longer needed.
  /// - Parameter score: how good the model is, smaller is better; nil if nobody knows.
  /// - Returns: once the checkpoint is durable.
  /// - Throws: `TensorFileFault`; then the other checkpoints are as they were.
  mutating func save(_ checkpoint: Checkpoint, score: Double?) throws -> CheckpointReceipt {
    var checkpoint = checkpoint
    let step = checkpoint.record.step
    checkpoint.record.best = best
    if let score, score.isFinite, score < best?.score ?? .infinity {
      checkpoint.record.best = CheckpointRecord.Best(step: step, score: score)
    }
    let header = try checkpoint.header()
    try header.withUnsafeBytes { header in
      try files.write(
        [header, UnsafeRawBufferPointer(checkpoint.image.bytes)],
        to: CheckpointStore.name(step: step), in: folder)
    }
    best = checkpoint.record.best
    good.insert(step)
    prune()
    return CheckpointReceipt(
      step: step, path: path(step: step), bytes: header.count + checkpoint.image.bytes.count)
  }

  /// Removes files that `keep` newer good ones make superfluous. What cannot be removed stays: the
  /// next time may do better.
  private func prune() {
    let steps = (try? steps()) ?? []
    let kept = steps.filter(good.contains).suffix(keep)
    guard kept.count == keep, let oldest = kept.first else { return }
    for step in steps where step < oldest && step != best?.step {
      _ = files.calls.remove(path(step: step))
    }
  }
}

/// A checkpoint that has become durable.
public struct CheckpointReceipt: Equatable, Sendable {
  public var step: Int
  public var path: String
  public var bytes: Int
}
