import Foundation

/// Writes checkpoints behind the training: a step waits for the copy of its tensors, and a thread of
/// low priority does the rest.
///
/// There is one copy, allocated at the start. While it is being written the next checkpoint is
/// skipped, or waits, as the caller says.
package final class CheckpointWriter {
  package enum WhenBusy {
    /// For checkpoints of which another comes soon.
    case skip
    /// For the last one.
    case wait
  }

  private let groups: [TensorGroup]
  private let shared: Shared

  /// Makes the folder and allocates the copy.
  /// - Parameter groups: what every checkpoint holds; read by `save` only.
  /// - Throws: `TensorFileFault` if there cannot be a folder.
  package init(_ store: CheckpointStore, groups: [TensorGroup]) throws(TensorFileFault) {
    try store.prepare()
    self.groups = groups
    let shared = Shared(store, TensorImage(for: groups))
    self.shared = shared
    let thread = Thread {
      // Of this thread alone, in Linux. Training goes first where both share a core.
      setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
      shared.work()
    }
    thread.name = "lockstep-save"
    thread.start()
  }

  deinit { shared.stop() }

  /// Copies the tensors as they are, and has the copy written.
  /// - Parameter score: how good the model is, smaller is better.
  /// - Returns: whether there will be a checkpoint; it was skipped if not.
  /// - Throws: what the write before has thrown; then this checkpoint is not made.
  package func save(
    _ record: CheckpointRecord, score: Double? = nil, whenBusy: WhenBusy
  ) throws -> Bool {
    guard try shared.reserve(waits: whenBusy == .wait) else { return false }
    shared.image.capture(groups)
    shared.give(record, score: score)
    return true
  }

  /// Checkpoints that have become durable since the last call.
  /// - Throws: what a write has thrown, once.
  package func collect() throws -> [CheckpointReceipt] { try shared.collect() }

  /// Waits for the write that is under way.
  /// - Returns: checkpoints that have become durable since the last call of `collect`.
  /// - Throws: what a write has thrown, once.
  package func finish() throws -> [CheckpointReceipt] {
    _ = try shared.reserve(waits: true)
    return try shared.collect()
  }

  /// What the two threads hand to each other.
  private final class Shared: @unchecked Sendable {
    /// Belongs to the training thread while nothing is being written, and else to the other one.
    let image: TensorImage

    private let condition = NSCondition()
    private var store: CheckpointStore
    private var task: (record: CheckpointRecord, score: Double?)?
    private var isStopped = false
    private var receipts: [CheckpointReceipt] = []
    private var failure: (any Error)?

    init(_ store: CheckpointStore, _ image: TensorImage) {
      self.store = store
      self.image = image
    }

    /// - Returns: whether the image is free.
    func reserve(waits: Bool) throws -> Bool {
      try condition.withLock {
        while waits, task != nil { condition.wait() }
        try throwFailure()
        return task == nil
      }
    }

    func give(_ record: CheckpointRecord, score: Double?) {
      condition.withLock {
        task = (record, score)
        condition.broadcast()
      }
    }

    func collect() throws -> [CheckpointReceipt] {
      try condition.withLock {
        try throwFailure()
        defer { receipts = [] }
        return receipts
      }
    }

    func stop() {
      condition.withLock {
        isStopped = true
        condition.broadcast()
      }
    }

    /// Writes what is given, until `stop`.
    func work() {
      while let (record, score) = next() {
        // Only this thread uses the store.
        let result = Result { try store.save(Checkpoint(record, image), score: score) }
        condition.withLock {
          task = nil
          switch result {
          case .success(let receipt): receipts.append(receipt)
          case .failure(let error): failure = error
          }
          condition.broadcast()
        }
      }
    }

    private func next() -> (CheckpointRecord, Double?)? {
      condition.withLock {
        while task == nil, !isStopped { condition.wait() }
        return task.map { ($0.record, $0.score) }
      }
    }

    private func throwFailure() throws {
      guard let error = failure else { return }
      failure = nil
      throw error
    }
  }
}
