"""Checkpoints that a kill at any moment leaves whole, and a validation that it cut off is made up.

mmengine's ``CheckpointHook`` writes into the file itself and deletes the old checkpoint before the new one is there.
The one here writes under a temporary name first and deletes last; what is to be deleted stands in the new checkpoint,
so that a run that was killed in between deletes it when it goes on.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dist import is_main_process, master_only
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook, Hook
from mmengine.registry import HOOKS
from mmengine.runner import EpochBasedTrainLoop, Runner

from bmoe_ground.files import atomic_write

LAST = 'last_checkpoint'
_BACKEND = 'whole_files'
_OUTDATED, _VALIDATED = 'outdated_files', 'validated_epoch'
# what this hook may delete: a checkpoint that was made elsewhere can name any file as its outdated one
_OURS = re.compile(r'((epoch|iter)_\d+|best_[^/\\]+)\.pth')


class WholeFilesBackend(LocalBackend):
    """mmengine's access to local files, writing each whole or not at all."""

    def put(self, obj: bytes, filepath: str | os.PathLike[str]) -> None:
        """Write a file.

        Args:
            obj: Its bytes.
            filepath: Its path.

        Raises:
            UserError: It cannot be written; one that was there before still is.
        """
        with atomic_write(filepath) as file:
            file.write(obj)


register_backend(_BACKEND, WholeFilesBackend, force=True)


class _DeleteLater(WholeFilesBackend):
    """Take down what mmengine wants to delete; it is deleted once the checkpoint that replaces it is whole."""

    def __init__(self) -> None:
        self.outdated: list[str] = []

    def remove(self, filepath: str | os.PathLike[str]) -> None:
        self.outdated.append(Path(filepath).name)


@HOOKS.register_module()
class WholeCheckpointHook(CheckpointHook):
    """mmengine's ``CheckpointHook``, safe against a kill at any moment and a folder that was moved.

    After a validation the checkpoint is written again even if it is not the best one, so that a resumed run knows that
    it was validated.

    Args:
        **kwargs: As for mmengine's hook, without ``backend_args`` and ``file_client_args``: files are local.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs, backend_args={'backend': _BACKEND})
        self._written = False

    def before_train(self, runner: Runner) -> None:
        """Find the checkpoints where the folder is now, and delete what a killed run had still to delete.

        Args:
            runner: The runner that trains.
        """
        self._look_here(runner)
        super().before_train(runner)
        self.file_backend = _DeleteLater()
        resumed = Path(self.out_dir) / self.filename_tmpl.format(runner.epoch if self.by_epoch else runner.iter)
        if resumed.is_file():
            self.last_ckpt = str(resumed)
        self._delete(runner, runner.message_hub.runtime_info.get(_OUTDATED) or [])

    def _look_here(self, runner: Runner) -> None:
        """Let the remembered paths of the best checkpoints name files of this folder."""
        folder = self.out_dir or runner.work_dir
        for key in ['best_ckpt', *(f'best_ckpt_{name}' for name in getattr(self, 'key_indicators', ()))]:
            path = runner.message_hub.runtime_info.get(key)
            if isinstance(path, str):
                runner.message_hub.update_info(key, os.path.join(folder, re.split(r'[/\\]', path)[-1]))

    def after_val_epoch(self, runner: Runner, metrics: dict[str, Any]) -> None:
        """Save the best checkpoint, and that this epoch was validated.

        Args:
            runner: The runner that trains.
            metrics: The validation's metrics.
        """
        runner.message_hub.update_info(_VALIDATED, runner.epoch)
        self._written = False
        super().after_val_epoch(runner, metrics)
        ours = Path(self.out_dir) / self.filename_tmpl.format(runner.epoch)
        if not self._written and self.by_epoch and self.last_ckpt == str(ours):
            self._save_checkpoint_with_step(runner, runner.epoch, {'epoch': runner.epoch, 'iter': runner.iter})

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict[str, Any]) -> None:
        """Mmengine's method in another order: write the new one, then name it the last, then delete the old ones."""
        outdated = self.file_backend.outdated
        if self.max_keep_ckpts > 0 and not (self.keep_ckpt_ids and self.keep_ckpt_ids[-1] == step):
            if len(self.keep_ckpt_ids) == self.max_keep_ckpts:
                outdated.append(self.filename_tmpl.format(self.keep_ckpt_ids.popleft()))
            self.keep_ckpt_ids.append(step)
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
        name = self.filename_tmpl.format(step)
        self.last_ckpt = os.path.join(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.message_hub.update_info(_OUTDATED, list(outdated))
        runner.save_checkpoint(
            self.out_dir,
            name,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        if is_main_process():
            with atomic_write(Path(runner.work_dir) / LAST) as file:
                file.write(self.last_ckpt.encode('utf-8', 'surrogateescape'))
        self._delete(runner, outdated)
        outdated.clear()
        self._written = True

    @master_only
    def _delete(self, runner: Runner, names: list[str]) -> None:
        kept = {Path(path).name for path in (self.last_ckpt, *self._best_paths()) if path}
        for name in names:
            if isinstance(name, str) and _OURS.fullmatch(name) and name not in kept:
                (Path(self.out_dir) / name).unlink(missing_ok=True)

    def _best_paths(self) -> list[str | None]:
        if self.save_best is None:
            return []
        return [self.best_ckpt_path] if len(self.key_indicators) == 1 else list(self.best_ckpt_path_dict.values())


@HOOKS.register_module()
class MakeUpValidationHook(Hook):
    """Validate a resumed run's epoch first, where the run was stopped before its validation was through."""

    priority = 'LOWEST'  # every other hook must be ready for a validation

    def before_train(self, runner: Runner) -> None:
        """Validate if that is due.

        Args:
            runner: The runner that trains.
        """
        loop = runner.train_loop
        if (
            not isinstance(loop, EpochBasedTrainLoop)
            or runner.val_loop is None
            or runner.epoch < max(loop.val_begin, 1)
        ):
            return
        loop._decide_current_val_interval()  # an epoch's own interval, as the loop has it at the epoch's end
        due = runner.epoch % loop.val_interval == 0 or runner.epoch == runner.max_epochs
        if due and runner.message_hub.runtime_info.get(_VALIDATED) != runner.epoch:
            runner.logger.info(f'Making up the validation of epoch {runner.epoch}')
            runner.val_loop.run()


def write_whole(cfg: Config) -> None:
    """Put :class:`WholeCheckpointHook` in the place of a config's ``CheckpointHook``.

    Args:
        cfg: The config; changed in place. A hook that writes elsewhere than to local files stays as it is.
    """
    hooks = dict(cfg.get('default_hooks') or {})
    hook = hooks.setdefault('checkpoint', {'type': 'CheckpointHook'})
    if hook and hook.get('type') == 'CheckpointHook' and not (hook.get('backend_args') or hook.get('file_client_args')):
        kept = {key: value for key, value in hook.items() if key not in ('backend_args', 'file_client_args')}
        hooks['checkpoint'] = {**kept, 'type': 'WholeCheckpointHook'}
        cfg.default_hooks = hooks
