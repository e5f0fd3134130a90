import Foundation

/// A run at the end of a step: a record, and tensors by name. In a file it is a safetensors file with
/// the record as JSON in `__metadata__.record` and a digest over everything.
public struct Checkpoint {
  public var record: CheckpointRecord
  let image: TensorImage

  /// Of files that are written, and read.
  static let format = "lockstep-checkpoint-1"

  init(_ record: CheckpointRecord, _ image: TensorImage) {
    self.record = record
    self.image = image
  }

  /// Copies the tensors of `groups`.
  init(_ record: CheckpointRecord, of groups: [TensorGroup]) {
    self.init(record, TensorImage(for: groups))
    image.capture(groups)
  }

  /// Reads a file and checks all of it.
  /// - Throws: `TensorFileFault`.
  public init(contentsOf path: String) throws {
    let content = try SafeTensors.read(path)
    guard let format = content.metadata["format"], let record = content.metadata["record"] else {
      throw TensorFileFault(
        .unsuitable, path, "not a checkpoint of lockstep: name one of a run's checkpoints/")
    }
    guard format == Checkpoint.format else {
      throw TensorFileFault(
        .unsuitable, path,
        "has the format \(format), and \(Checkpoint.format) is read: "
          + "use the version of lockstep that wrote it")
    }
    guard content.isSealed else {
      throw TensorFileFault(.damaged, path, "damaged: its SHA-256 is missing: use another")
    }
    do {
      self.record = try JSONDecoder.lockstep().decode(
        CheckpointRecord.self, from: Data(record.utf8))
    } catch {
      throw TensorFileFault(
        .unsuitable, path,
        "its record is not understood: use the version of lockstep that wrote it")
    }
    image = content.image
  }

  /// Floats of all tensors.
  package var elementCount: Int { image.bytes.count / MemoryLayout<Float>.size }

  /// What stands in a file before the tensors' bytes.
  func header() throws -> [UInt8] {
    let text = String(decoding: try JSONEncoder.lockstep().encode(record), as: UTF8.self)
    let header = SafeTensorsHeader(
      tensors: image.tensors, metadata: ["format": Checkpoint.format, "record": text])
    return try header.encoded(sealing: UnsafeRawBufferPointer(image.bytes))
  }

  /// Copies the tensors into `groups`, or throws and changes nothing.
  /// - Parameter path: what the error calls the checkpoint.
  /// - Throws: `TensorFileFault` if names or shapes are not the same.
  package func restore(_ groups: [TensorGroup], path: String) throws {
    if let difference = image.restore(groups) {
      throw TensorFileFault(
        .unsuitable, path,
        "\(difference): it was made with another model or optimizer: use its configuration, or "
          + "start anew with --resume none")
    }
  }
}
