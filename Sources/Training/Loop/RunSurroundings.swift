/// What a run tells how it goes, and who may stop it.
struct RunSurroundings {
  /// On the root only.
  var log: RunLog?
  /// On the root only.
  var checkpoints: CheckpointRecorder?
  var interruption: any Interruption = NoInterruption()
}
