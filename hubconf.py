"""Entry points of torch.hub. In a clone: torch.hub.load('.', 'resnet_small', source='local', pretrained=True)."""

dependencies = ['torch', 'numpy', 'PIL', 'filelock', 'tqdm']


def resnet_small(pretrained: bool = False, **kwargs):
    """Three stages of 16, 32 and 64 channels: 78,042 parameters. pretrained: with weights trained on CIFAR-10, in
    evaluation mode; its images are uint8 / 255, normalized by model.metadata.mean and .std. Without: in training mode.
    num_classes=10 and in_channels=3 may be others; modified_resnet.predict takes images as they are."""
    return _model('small', pretrained, **kwargs)


def resnet_medium(pretrained: bool = False, **kwargs):
    "Four stages of 32 to 256 channels: 1,228,970 parameters. Arguments as for resnet_small."
    return _model('medium', pretrained, **kwargs)


def resnet_large(pretrained: bool = False, **kwargs):
    "Four stages of 64 to 512 channels: 4,903,242 parameters. Arguments as for resnet_small."
    return _model('large', pretrained, **kwargs)


def resnet_budget(pretrained: bool = False, **kwargs):
    "Three stages of three blocks, 64 to 256 channels; not in the paper, and without weights."
    return _model('budget', pretrained, **kwargs)


def _model(name: str, pretrained: bool, **kwargs):
    "A network of the package, imported only now, so that torch.hub can name a missing dependency first."
    from modified_resnet.models import create_model
    return create_model(name, pretrained, **kwargs)
