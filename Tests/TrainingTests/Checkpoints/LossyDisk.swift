import Foundation

@testable import Training

/// What writers do to files, and what a power cut may leave of it.
///
/// The model is harsher than common file systems: of data that was not synced nothing is certain,
/// and of changes to a folder since it was last synced any may be lost, whatever their order.
final class LossyDisk: @unchecked Sendable {
  enum Event {
    case create(String, file: Int)
    case write(file: Int, [UInt8])
    case sync(file: Int)
    case rename(String, String)
    case remove(String)
    case syncFolder
    /// The writer says that this step's checkpoint is there.
    case acknowledge(step: Int)
  }

  private let lock = NSLock()
  private var log: [Event] = []
  private var files: [Int32: Int] = [:]
  private var created = 0
  /// Whether syncing does anything.
  private let syncs: Bool

  init(syncs: Bool = true) { self.syncs = syncs }

  var events: [Event] { lock.withLock { log } }

  func acknowledge(step: Int) { lock.withLock { log.append(.acknowledge(step: step)) } }

  /// Real calls, which are written down.
  var calls: FileCalls {
    let real = FileCalls()
    let name: @Sendable (String) -> String = { String($0.split(separator: "/").last ?? "") }
    var calls = FileCalls()
    calls.open = { [self] path, flags in
      let descriptor = real.open(path, flags)
      lock.withLock {
        files[descriptor] = nil
        if flags & O_CREAT != 0 {
          created += 1
          files[descriptor] = created
          log.append(.create(name(path), file: created))
        }
      }
      return descriptor
    }
    calls.write = { [self] descriptor, bytes in
      let count = real.write(descriptor, UnsafeRawBufferPointer(rebasing: bytes.prefix(1000)))
      lock.withLock { log.append(.write(file: files[descriptor]!, Array(bytes.prefix(count)))) }
      return count
    }
    calls.sync = { [self] descriptor in
      lock.withLock {
        if syncs { log.append(files[descriptor].map { .sync(file: $0) } ?? .syncFolder) }
      }
      return 0
    }
    calls.rename = { [self] from, to in
      lock.withLock { log.append(.rename(name(from), name(to))) }
      return real.rename(from, to)
    }
    calls.remove = { [self] path in
      lock.withLock { log.append(.remove(name(path))) }
      return real.remove(path)
    }
    return calls
  }
}

extension LossyDisk {
  /// What becomes of data that was not synced.
  enum Unsynced: CaseIterable {
    case whole, half, none, zero
  }

  /// A folder as a power cut may leave it.
  struct Remains: Hashable {
    /// Content by name.
    var files: [String: [UInt8]]
    /// The newest step that had been acknowledged; 0 if there was none.
    var acknowledged: Int
  }

  /// All that power cuts may leave, one after the other, each once.
  /// - Parameter body: gets each of them.
  static func cutPower(_ events: [Event], _ body: (Remains) throws -> Void) rethrows {
    var durable: [String: Int] = [:]
    var pending: [Event] = []
    var data: [Int: [UInt8]] = [:]
    var synced: [Int: [UInt8]] = [:]
    var acknowledged = 0
    var seen: Set<Remains> = []
    for event in events {
      switch event {
      case .create, .rename, .remove: pending.append(event)
      case .write(let file, let bytes): data[file, default: []] += bytes
      case .sync(let file): synced[file] = data[file]
      case .syncFolder:
        for change in pending { apply(change, to: &durable) }
        pending = []
      case .acknowledge(let step): acknowledged = step
      }
      // A writer that syncs its folder never has more than five changes pending.
      for subset in 0..<1 << min(pending.count, 5) {
        var names = durable
        for (bit, change) in pending.enumerated() where subset >> bit & 1 == 1 {
          // A file that is renamed is found by its number, whether or not its first name is there.
          apply(change, to: &names, created: pending)
        }
        for unsynced in Unsynced.allCases {
          let content = names.mapValues { file -> [UInt8] in
            let all = data[file] ?? []
            let kept = synced[file]?.count ?? 0
            switch unsynced {
            case .whole: return all
            case .half: return Array(all[..<(kept + (all.count - kept) / 2)])
            case .none: return Array(all[..<kept])
            case .zero: return all[..<kept] + [UInt8](repeating: 0, count: all.count - kept)
            }
          }
          let remains = Remains(files: content, acknowledged: acknowledged)
          if seen.insert(remains).inserted { try body(remains) }
        }
      }
    }
  }

  private static func apply(
    _ change: Event, to names: inout [String: Int], created: [Event] = []
  ) {
    switch change {
    case .create(let name, let file): names[name] = file
    case .rename(let from, let to):
      let number =
        names.removeValue(forKey: from)
        ?? created.lazy.compactMap { event -> Int? in
          if case .create(from, let file) = event { file } else { nil }
        }.first
      names[to] = number
    case .remove(let name): names[name] = nil
    default: break
    }
  }
}
